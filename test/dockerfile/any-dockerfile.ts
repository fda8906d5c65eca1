import fc from 'fast-check';
import {renderDiagnostics} from '../../src/base/diagnostic.ts';
import {hasKind} from '../../src/base/errors.ts';
import {checkDockerfile} from '../../src/dockerfile/check.ts';
import {parseDockerfile} from '../../src/dockerfile/parse.ts';
import {StepList} from '../../src/engine/build/plan/draft.ts';
import {planBuild} from '../../src/engine/build/plan/plan.ts';
import {cases} from './cases.mjs';

const name = fc.constantFrom('A', 'B', 'a_b', 'PATH', 'TARGETARCH', 'http_proxy', 'x', '1', '@');
const plain = fc.constantFrom(
  'a',
  'b/c',
  '/x',
  '.',
  '*',
  '??',
  '[a-z]',
  '8080',
  'scratch',
  'one',
  '0',
  'é',
  '=',
  ':',
  '#',
  '-',
);
const operator = fc.constantFrom(':-', '-', ':+', '+', ':?', '?', '#', '##', '%', '%%', '/', '//', ':', '^', ',');

const {word} = fc.letrec<{word: string; part: string}>((tie) => ({
  part: fc.oneof(
    {depthSize: 'small', withCrossShrink: true},
    plain,
    name.map((text) => `$${text}`),
    fc.tuple(name, operator, tie('word')).map(([variable, sign, rest]) => `\${${variable}${sign}${rest}}`),
    fc.tuple(name, tie('word'), tie('word')).map(([variable, from, to]) => `\${${variable}//${from}/${to}}`),
    tie('word').map((text) => `"${text}"`),
    tie('word').map((text) => `'${text}'`),
    plain.map((text) => `\\${text}`),
  ),
  word: fc.array(tie('part'), {minLength: 1, maxLength: 3}).map((parts) => parts.join('')),
}));
const words = fc.array(word, {maxLength: 4}).map((list) => list.join(' '));
const pairs = fc
  .array(fc.tuple(word, word), {maxLength: 3})
  .map((list) => list.map((pair) => pair.join('=')).join(' '));
const json = fc
  .array(fc.oneof(fc.string({maxLength: 5}), fc.integer()), {maxLength: 3})
  .map((list) => JSON.stringify(list));
const command = fc.oneof(words, json);

const flagName = fc.constantFrom(
  ...['from', 'chown', 'chmod', 'link', 'exclude', 'parents', 'checksum', 'platform', 'network', 'security', 'unpack'],
  ...['interval', 'retries', 'keep-git-dir', 'nothing'],
);
const mountKey = fc.constantFrom(
  'type',
  'target',
  'source',
  'from',
  'id',
  'mode',
  'uid',
  'size',
  'sharing',
  'ro',
  'rw',
  'env',
);
const mountValue = fc.oneof(fc.constantFrom('bind', 'cache', 'tmpfs', 'secret', 'ssh', '0755', '1m', 'locked'), word);
const mount = fc
  .array(fc.tuple(mountKey, mountValue), {maxLength: 4})
  .map((fields) => `--mount=${fields.map((field) => field.join('=')).join(',')}`);
const flag = fc.oneof(
  fc.tuple(flagName, word).map(([key, value]) => `--${key}=${value}`),
  mount,
  flagName.map((key) => `--${key}`),
);
const flags = fc.array(flag, {maxLength: 2}).map((list) => list.join(' '));

const heredoc = fc
  .record({
    dash: fc.constantFrom('', '-'),
    quote: fc.constantFrom('', '"', "'"),
    end: fc.constantFrom('E', 'EOF', 'one.txt'),
    body: fc.array(word, {maxLength: 3}),
  })
  .map(({dash, quote, end, body}) => ({
    start: `<<${dash}${quote}${end}${quote}`,
    text: [...body, end].map((line) => (dash === '' ? line : `\t${line}`)).join('\n'),
  }));

const keyword = fc.constantFrom(
  ...[
    'FROM',
    'ARG',
    'RUN',
    'COPY',
    'ADD',
    'CMD',
    'ENTRYPOINT',
    'SHELL',
    'HEALTHCHECK',
    'ENV',
    'LABEL',
    'EXPOSE',
    'VOLUME',
  ],
  ...['USER', 'WORKDIR', 'STOPSIGNAL', 'MAINTAINER', 'ONBUILD', 'ONBUILD RUN', 'HEALTHCHECK CMD', 'copy', 'NOTHING'],
);
const instruction = fc.oneof(
  fc.tuple(keyword, flags, fc.oneof(command, pairs)).map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom('RUN', 'COPY', 'ADD'), flags, fc.array(heredoc, {minLength: 1, maxLength: 2}), words)
    .map(([verb, given, texts, rest]) =>
      [`${verb} ${given} ${texts.map(({start}) => start).join(' ')} ${rest}`, ...texts.map(({text}) => text)].join(
        '\n',
      ),
    ),
  fc.constantFrom(
    'FROM scratch',
    'FROM scratch AS one',
    'FROM one',
    'ENV A=$A$A$A$A',
    'ARG A=aaaaaaaa',
    '# comment',
    '',
  ),
);
const joint = fc.constantFrom('\n', '\n', '\n', '\n', ' \\\n', '\r\n', '\\\n# c\n', '`\n');
const grammatical = fc
  .record({
    head: fc.constantFrom(
      'FROM scratch\n',
      'ARG A=1\nFROM busybox AS one\n',
      '# escape=`\nFROM scratch\n',
      '',
      '\uFEFF',
    ),
    lines: fc.array(fc.tuple(instruction, joint), {maxLength: 12}),
  })
  .map(({head, lines}) => head + lines.flat().join(''));

/** Changes a text's bytes, as an editor's slip or a broken disk would. */
const mutation = fc.record({
  at: fc.nat({max: 10_000}),
  length: fc.nat({max: 12}),
  put: fc.oneof(
    fc.uint8Array({maxLength: 4}).map((bytes) => Buffer.from(bytes)),
    fc
      .constantFrom('${', '<<', '\\\n', '"', "'", '\n', '\0', '--', '=', '[', '\uFEFF', '\r')
      .map((text) => Buffer.from(text)),
  ),
});
const written = fc.oneof(grammatical, fc.constantFrom(...cases));

/** Dockerfiles that are right, nearly right, or anything at all. */
export const anyDockerfile: fc.Arbitrary<string> = fc.oneof(
  {weight: 5, arbitrary: grammatical},
  {
    weight: 5,
    arbitrary: fc.tuple(written, fc.array(mutation, {minLength: 1, maxLength: 5})).map(([text, changes]) => {
      let bytes = Buffer.from(text);
      for (const {at, length, put} of changes) {
        const start = bytes.length === 0 ? 0 : at % bytes.length;
        bytes = Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + length)]);
      }
      return bytes.toString('utf8');
    }),
  },
  {weight: 1, arbitrary: fc.string({unit: 'binary', maxLength: 200})},
);

const platform = {os: 'linux', architecture: 'amd64'} as never;
const image = () =>
  Promise.resolve({
    ...{config: {Env: ['PATH=/bin'], OnBuild: ['RUN echo $A', 'COPY a b']}, author: undefined, history: []},
    ...{os: 'linux', architecture: 'amd64', variant: undefined},
    source: {reference: 'base', id: 'base', digest: 'base', layers: 0},
  });

/**
 * Reads, checks and plans a Dockerfile. What is wrong in it is only told by problems that have their place and its text.
 * Answers how many there were.
 */
export async function expectJudged(text: string): Promise<number> {
  const source = {text, shown: 'Dockerfile'};
  const found = checkDockerfile(source, {buildArguments: {B: 'b'}});
  const request = {
    contexts: {},
    noCache: false,
    network: 'default',
    allow: [],
    secrets: [],
    arguments: {B: 'b'},
  } as const;
  const plan = await planBuild({
    ...{...request, source, dockerfile: parseDockerfile(source), platform, machine: platform, image},
    ...{steps: new StepList(), isOneOfSeveral: false},
  }).catch((error: unknown) => {
    if (!hasKind(error, 'invalid')) throw error;
    return {errors: [], warnings: []};
  });
  const all = [...found, ...plan.errors, ...plan.warnings];
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const {file, line = 0, column = 0, length = 0, excerpt, message, hint = ' '} of all) {
    const expected = (lines[line - 1] ?? 'none').replace(/\r$/, '');
    const right: boolean =
      file === 'Dockerfile' && expected === excerpt && column > 0 && length > 0 && column <= expected.length + 1;
    if (!right || message === '' || hint === '')
      throw new Error(`"${message}" has no place: ${file}:${line}:${column}+${length} "${excerpt}"`);
  }
  renderDiagnostics(all);
  return all.length;
}
