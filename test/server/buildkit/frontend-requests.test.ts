import {describe, expect, it} from 'vitest';
import {answerRequest} from '../../../src/server/buildkit/frontend-requests.ts';

const dockerfile = `# VERSION of the tools
ARG VERSION=1
# base what all stages need
FROM busybox:\${VERSION} AS base
ARG PLAIN
RUN --mount=type=secret,id=key,required --mount=type=ssh make
FROM scratch
COPY --from=base / /
`;

function ask(request: string, given: {readonly text?: string; readonly target?: string} = {}) {
  const source = {text: given.text ?? dockerfile, shown: 'Dockerfile'};
  const told = answerRequest(request, {source, target: given.target, arguments: {VERSION: '7'}});
  const {'result.json': text = '', ...rest} = told;
  return {told: rest, json: JSON.parse(text) as unknown};
}

const sources = [Buffer.from(dockerfile).toString('base64')];

describe('what is asked of a Dockerfile in place of building it', () => {
  it('are its targets', () => {
    expect(ask('frontend.targets')).toMatchObject({
      told: {version: '1.0.0'},
      json: {
        targets: [
          {name: 'base', base: 'busybox:${VERSION}', description: 'what all stages need'},
          {base: 'scratch', default: true},
        ],
        sources,
      },
    });
  });

  it('is what a target takes, with the values that are given', () => {
    expect(ask('frontend.outline', {target: 'base'}).json).toEqual({
      ...{name: 'base', description: 'what all stages need'},
      args: [{name: 'VERSION', value: '7', description: 'of the tools'}, {name: 'PLAIN'}],
      secrets: [{name: 'key', required: true}],
      ssh: [{name: 'default'}],
      sources,
    });
    expect(() => ask('frontend.outline', {target: 'none'})).toThrow('no stage is called "none"');
    expect(() => ask('frontend.outline', {text: 'FROM a\nRUUN x\n'})).toThrow('unknown instruction "RUUN"');
  });

  it('is what is wrong with it, under the names that BuildKit has for it', () => {
    const found = ask('frontend.lint', {text: 'FROM busybox as b\nCMD echo\nCOPY --from=c / /\nFROM x AS c\n'});
    expect(found.told['result.statuscode']).toBe('1');
    const ranges = (line: number) => ({location: {ranges: [{start: {line}, end: {line}}]}});
    const url = 'https://docs.docker.com/go/dockerfile/rule';
    expect(found.json).toMatchObject({
      warnings: [
        {ruleName: 'FromAsCasing', url: `${url}/from-as-casing/`, ...ranges(1)},
        {ruleName: 'JSONArgsRecommended', url: `${url}/json-args-recommended/`, ...ranges(2)},
        {ruleName: 'LaterStage', ...ranges(3)},
      ],
      sources: [{filename: 'Dockerfile', language: 'Dockerfile'}],
    });
    expect(JSON.stringify(found.json)).not.toContain('rule/later-stage');
    expect(ask('frontend.lint')).toMatchObject({told: {'result.statuscode': '0'}, json: {warnings: []}});
  });

  it('is the error that a build would end with', () => {
    const broken = ask('frontend.lint', {text: 'FROM a\nRUUN x\n'});
    expect(broken.told['result.statuscode']).toBe('1');
    expect(broken.json).toMatchObject({
      buildError: {
        message: expect.stringContaining('unknown instruction "RUUN"'),
        location: {ranges: [{start: {line: 2}, end: {line: 2}}]},
      },
    });
    expect(ask('frontend.lint', {target: 'none'}).json).toMatchObject({
      buildError: {message: 'no stage is called "none"'},
    });
  });

  it('is which of these there are; anything else is refused by name', () => {
    const names = (ask('frontend.subrequests.describe').json as {name: string}[]).map(({name}) => name);
    expect(names).toContain('frontend.outline');
    for (const name of names) expect(() => ask(name)).not.toThrow();
    expect(() => ask('frontend.other')).toThrow('requests of the frontend ("frontend.other") are not supported');
    expect(() => ask('toString')).toThrow('("toString")');
  });
});
