import {readFileSync} from 'node:fs';
import {describe, expect, it, test} from 'vitest';
import {checkDockerfile} from '../../src/dockerfile/check.ts';
import {cases} from './cases.mjs';
import {differences} from './differences.ts';

interface Answer {
  readonly text: string;
  readonly error?: string;
  /** Name of a check and line. */
  readonly warnings?: readonly string[];
}

const recorded = JSON.parse(readFileSync(new URL('../recorded/dockerfiles.json', import.meta.url), 'utf8')) as {
  readonly answers: readonly Answer[];
};

/** `stage-name-casing` here, `StageNameCasing` there. */
function comparable(name: string): string {
  return name.replaceAll('-', '').toLowerCase();
}

function ours(text: string): string {
  const found = checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {}});
  if (found.some(({severity}) => severity === 'error')) return 'error';
  return [...new Set(found.map(({code, line}) => `${comparable(code)}:${line}`))].sort().join(' ');
}

function theirs({error, warnings = []}: Answer): string {
  return error === undefined ? [...new Set(warnings.map(comparable))].sort().join(' ') : 'error';
}

test('every case was recorded, and nothing else', () => {
  expect(recorded.answers.map(({text}) => text)).toEqual([...new Set(cases)]);
  expect(recorded.answers.length).toBeGreaterThan(300);
});

test('Dockerfiles are refused, warned of or accepted as BuildKit does, but for the differences that are listed', () => {
  const different = recorded.answers.flatMap((answer) => {
    const own = ours(answer.text);
    return own === theirs(answer) ? [] : [{text: answer.text, own}];
  });
  expect(different).toEqual(differences.map(({text, own}) => ({text, own})));
});

describe('a problem has its place', () => {
  it.each([
    [
      'an unknown instruction',
      'FROM a\nRNU x\n',
      '2:1+3 unknown-instruction: unknown instruction "RNU" (did you mean "RUN"?)',
    ],
    [
      'a language of its own',
      '# syntax=host.example/other/language:1\nFROM a\n',
      '1:1+38 unknown-syntax: the language of "host.example/other/language:1" is not known: this is read as a Dockerfile (name docker/dockerfile:1, or build it with BuildKit)',
    ],
    [
      'a word of a continued line',
      'FROM a\nENV one=1 \\\n  # between\n  two\n',
      '4:3+3 missing-value: ENV: "two" has no value (write key=value, with quotes around blanks)',
    ],
    [
      'a flag',
      'FROM a\nCOPY --form=x a \\\n b\n',
      '2:6+8 unknown-flag: COPY: unknown flag --form (did you mean "--from"?)',
    ],
    [
      'a variable',
      'FROM scratch\nARG VERSION=1\nLABEL v="x $VERSOIN"\n',
      '3:12+8 undefined-var: LABEL: nothing sets "$VERSOIN" (did you mean "$VERSION"?)',
    ],
    [
      'a text without an end',
      'FROM a\nRUN <<EOF\nx\n',
      '2:1+9 unterminated-heredoc: the text "<<EOF" has no end (end the text with a line that says EOF and nothing else)',
    ],
    [
      'an instruction of a trigger',
      'FROM a\nONBUILD COPPY a b\n',
      '2:9+5 unknown-instruction: unknown instruction "COPPY" (did you mean "COPY"?)',
    ],
    [
      'a stage',
      'FROM a AS one\nFROM b\nCOPY --from=2 x y\n',
      '3:13+1 unknown-stage: COPY: --from=2 is no stage before this one (name a stage that comes before this one)',
    ],
  ])('%s', (_, text, expected) => {
    const [found] = checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {}});
    expect(`${found?.line}:${found?.column}+${found?.length} ${found?.code}: ${found?.message} (${found?.hint})`).toBe(
      expected,
    );
  });
});

test('everything is told at once, and what the file asks to skip is not', () => {
  const text = '# check=skip=StageNameCasing,MaintainerDeprecated\nFROM a AS One\nMAINTAINER x\nCOPY a\nUSER\n';
  const found = checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {}});
  expect(found.map(({line, code}) => `${line} ${code}`)).toEqual(['4 missing-argument', '5 missing-argument']);
});

test.each([
  'docker/dockerfile',
  'host.example:5000/mirror/dockerfile:1.7-labs@sha256:1',
  'docker/dockerfile-upstream:master',
])('the language may be had from anywhere: %s', (syntax) => {
  const text = `# syntax=${syntax}\nFROM a\n`;
  expect(checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {}})).toEqual([]);
});

test('an argument that the build is given decides what a value is', () => {
  const text = 'ARG PORT=80\nFROM scratch\nARG PORT\nEXPOSE $PORT\n';
  const told = (buildArguments: Record<string, string | undefined>): readonly string[] =>
    checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments}).map(({message}) => message);
  expect(told({})).toEqual([]);
  expect(told({PORT: 'http'})).toEqual(['EXPOSE: "http" is not a port']);
  expect(told({PORT: undefined})).toEqual([]);
});

test.each([
  ['$TARGETPLATFORM', true],
  ['${TARGETPLATFORM}', true],
  ['${TARGETPLATFORM:-linux/amd64}', true],
  ['${TARGETPLATFORM:+linux/amd64}', false],
  ['$BUILDPLATFORM', false],
  ['${TARGETOS}/${TARGETARCH}', false],
])('--platform=%s is what holds anyway: %s', (platform, redundant) => {
  const text = `FROM --platform=${platform} a\n`;
  const found = checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {}});
  expect(found.map(({code}) => code)).toEqual(redundant ? ['redundant-target-platform'] : []);
});

test.each([
  ['ARG TAG', 'busybox:$TAG', true],
  ['ARG TAG', '$TAG', true],
  ['ARG TAG=1', 'busybox:${TAG}', false],
  ['ARG TAG', 'busybox:${TAG:-1}', false],
  ['ARG TAG', 'busybox', false],
  ['ARG TAG=host:5000/a_b', '${TAG}-c/d:1', false],
  ['ARG TAG=$TARGETARCH', 'busybox:$TAG', false],
])('a name of an image without its arguments: %s and FROM %s', (argument, image, told) => {
  const text = `${argument}\nFROM ${image}\n`;
  const found = checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {TAG: 'busybox'}});
  expect(found.map(({code}) => code)).toEqual(told ? ['invalid-default-arg-in-from'] : []);
});

test('sources that the ignore file leaves out', () => {
  const copies = [
    'COPY secret.env /',
    'COPY src docs/x /',
    'COPY . /',
    'COPY *.env /',
    'ADD ./secret.env /',
    'COPY $A /',
  ];
  const text = `FROM a\n${copies.join('\n')}\nCOPY --from=b/c secret.env /\n`;
  const linesOf = (ignore: string) =>
    checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {}, ignore}).map(({code, line, column}) => [
      code,
      `${line}:${column}`,
    ]);
  const told = (...places: string[]) => places.map((place) => ['copy-ignored-file', place]);
  expect(linesOf('*.env\n')).toEqual(told('2:6', '6:5'));
  expect(linesOf('*\n!src/main.go\n')).toEqual(told('2:6', '3:10', '6:5'));
  expect(linesOf('[\n')).toEqual([]);
});

describe('checks that are not wanted, or wanted as errors', () => {
  const found = (text: string, buildArguments: Readonly<Record<string, string>> = {}) =>
    checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments}).map(
      ({severity, code, line}) => `${line} ${severity} ${code}`,
    );
  const body = 'FROM a AS One\nWORKDIR x\n';
  const stage = (line: number, severity = 'warning') => `${line} ${severity} stage-name-casing`;
  const path = (line: number, severity = 'warning') => `${line} ${severity} workdir-relative-path`;

  it.each([
    ['all of a file', `# check=skip=all\n${body}`, []],
    ['one of a file', `# check=skip=StageNameCasing\n${body}`, [path(3)]],
    ['one of an instruction', `${body.replace('WORKDIR', '# check=skip=WorkdirRelativePath\nWORKDIR')}`, [stage(1)]],
    ['as errors', `# check=error=true\n${body}`, [stage(2, 'error'), path(3, 'error')]],
    ['both', `# check=skip=StageNameCasing;error=true\n${body}`, [path(3, 'error')]],
    ['an old form', '# check=skip=LegacyKeyValueFormat\nFROM a\nENV one two\n', []],
    ['a blank line', '# check=skip=NoEmptyContinuation\nFROM a\nRUN a \\\n\n b\n', []],
  ])('%s', (_, text, wanted) => expect(found(text)).toEqual(wanted));

  it('a build argument goes before the file', () => {
    const rules = {BUILDKIT_DOCKERFILE_CHECK: 'skip=WorkdirRelativePath;error=true'};
    expect(found(`# check=skip=all\n${body}`, rules)).toEqual([stage(2, 'error')]);
  });
});

describe('comments above arguments and stages', () => {
  const lines = (check: string) => {
    const text = [
      ...[
        `# check=${check}`,
        '# version of it',
        'ARG version=1',
        '# another',
        'ARG other',
        '# not right above',
        '',
        'ARG far',
      ],
      ...[
        '# of both',
        '# two says',
        'ARG one two',
        '# syntax=x',
        'FROM a AS base',
        '# what it is',
        'FROM base AS Next',
      ],
      ...['# Next is the next', 'FROM base AS Next', '# no name', 'FROM base', '# inner: with a colon', 'ARG inner'],
      ...['# said of a step', 'RUN true', '# check=skip=InvalidDefinitionDescription', '# skipped', 'ARG skipped'],
    ].join('\n');
    return checkDockerfile({text, shown: 'Dockerfile'}, {buildArguments: {}})
      .filter(({code}) => code === 'invalid-definition-description')
      .map(({line, column, hint}) => `${line}:${column} ${hint}`);
  };
  const names = ['5 other', '15 Next', '21 inner'];
  const wanted = names.map((name) => {
    const [line, word] = name.split(' ');
    return `${line}:1 write "# ${word} what it is for", or leave a blank line between them`;
  });

  it.each([
    ['the check', 'experimental=InvalidDefinitionDescription', wanted],
    ['all that are not made by themselves', 'skip=StageNameCasing;experimental=all', wanted],
    ['another', 'experimental=Other', []],
    ['none', 'skip=StageNameCasing', []],
  ])('%s is asked for', (_, check, told) => expect(lines(check)).toEqual(told));
});
