import {describe, expect, it, test} from 'vitest';
import {answerCall, readCall} from '../../../src/cli/build/call.ts';
import type {CliContext} from '../../../src/cli/context.ts';

function answer(call: string, text: string, more: {target?: string; arguments?: Record<string, string>} = {}) {
  let out = '';
  const stdout = {write: (piece: string) => (out += piece)};
  const context = {stdout, color: () => false} as unknown as CliContext;
  const read = readCall({call, check: false});
  if (read === undefined) throw new Error('nothing is called');
  const code = answerCall(context, read, {source: {text, shown: 'Dockerfile'}, arguments: {}, ...more});
  return {code, out};
}

describe('what is called for', () => {
  it.each([
    [{check: false}, undefined],
    [{check: true}, {method: 'check', json: false}],
    [
      {call: 'check', check: true},
      {method: 'check', json: false},
    ],
    [
      {call: 'targets,format=json', check: false},
      {method: 'targets', json: true},
    ],
  ])('%o', (flags, wanted) => expect(readCall(flags)).toEqual(wanted));

  it.each([
    ['chekc', '--call chekc: it is not known'],
    ['check,format=xml', '--call check,format=xml: "format=xml" is not known'],
    ['check,format=json,a', '--call check,format=json,a: "a" is not known'],
  ])('not %s', (call, message) => expect(() => readCall({call, check: false})).toThrow(message));

  it('not two things', () => expect(() => readCall({call: 'outline', check: true})).toThrow('--check says otherwise'));
});

test('a check shows places and what would be right, and its exit code tells warnings from errors', () => {
  const {code, out} = answer('check', 'from busybox AS One\nCOPY a b\nEXPOSE 80/TCP\n');
  expect(code).toBe(1);
  expect(out).toContain('warning[stage-name-casing]: the stage "One" is in capitals\n --> Dockerfile:1:17\n');
  expect(out).toContain('1 | from busybox AS One\n  |                 ^^^ write one\n');
  expect(out).toMatch(/\n\n4 warnings\n$/);
  expect(answer('check', 'FROM busybox\nRNU a\n')).toMatchObject({code: 65});
  expect(answer('check', 'FROM busybox\nRUN a\n')).toEqual({code: 0, out: 'no problems\n'});
});

test('for programs a check is JSON, with texts that put problems right', () => {
  const {out} = answer('check,format=json', 'FROM busybox AS One\nEXPOSE 80/TCP\ncopy a b\n');
  const {errors, warnings, problems} = JSON.parse(out);
  expect({errors, warnings}).toEqual({errors: 0, warnings: 3});
  expect(problems).toEqual([
    expect.objectContaining({code: 'stage-name-casing', line: 1, column: 17, length: 3, fix: 'one'}),
    expect.objectContaining({code: 'expose-proto-casing', line: 2, column: 8, length: 6, fix: '80/tcp'}),
    expect.objectContaining({code: 'consistent-instruction-casing', line: 3, column: 1, length: 4, fix: 'COPY'}),
  ]);
});

const staged = `# base the ground
FROM busybox AS base
# LEVEL how much
ARG LEVEL=2
RUN --mount=type=secret,id=key make
FROM base
`;

test('targets and outlines are tables, or JSON', () => {
  expect(answer('targets', staged).out).toBe(
    'TARGET        FROM      DESCRIPTION\nbase          busybox   the ground\n1 (default)   base\n',
  );
  const {out} = answer('outline', staged, {target: 'base', arguments: {LEVEL: '3'}});
  expect(out).toBe(
    [
      'target: base',
      'description: the ground',
      '',
      'BUILD ARG   VALUE   DESCRIPTION',
      'LEVEL       3       how much',
      '',
      'SECRET   REQUIRED',
      'key      no',
      '',
    ].join('\n'),
  );
  expect(JSON.parse(answer('outline,format=json', staged).out)).toMatchObject({target: {index: 1, default: true}});
  expect(() => answer('outline', staged, {target: 'bsae'})).toThrow('Dockerfile: no stage is called "bsae"');
});
