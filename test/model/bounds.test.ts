import {describe, expect, it} from 'vitest';
import {defaultMaxFileSize} from '../../src/model/stages/source-file.ts';
import {failure, load} from './memory-files.ts';

type Files = Readonly<Record<string, string>>;

const service = 'services: {a: {image: x}}\n';

function repeated(count: number, text: (index: number) => string): string {
  return Array.from({length: count}, (_, index) => text(index)).join('');
}

/** Small stacks that would grow without end, and what is said of each: the first problem. */
const growing: readonly (readonly [string, string | Files, string])[] = [
  [
    'aliases of lists of aliases',
    `x-0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n${repeated(9, (i) => `x-${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}]\n`)}${service}`,
    'compose.yaml:6:16 aliases unfold this file to more than 200000 values',
  ],
  [
    'merge keys of merge keys',
    `x-0: &a0 {k: 1}\n${repeated(700, (i) => `x-${i + 1}: &a${i + 1} {<<: *a${i}, k${i}: 1}\n`)}${service}`,
    'compose.yaml:447:19 aliases unfold this file to more than 200000 values',
  ],
  [
    'a long text that is named again and again',
    `x-a: &a ${'x'.repeat(100_000)}\nx-b: [${'*a, '.repeat(10_000)}]\n${service}`,
    'compose.yaml:2:2691 the stack grows to more than 67108864 characters by aliases',
  ],
  [
    'a variable that is put in place again and again',
    {'/stack/.env': `A=${'x'.repeat(100_000)}`, '/stack/compose.yaml': `x-b:\n${'- "+$A"\n'.repeat(10_000)}${service}`},
    'compose.yaml:673:3 the stack grows to more than 67108864 characters with variables in them',
  ],
  [
    'variables of variables',
    {
      '/stack/.env': `A0=${'x'.repeat(100)}\n${repeated(40, (i) => `A${i + 1}=$A${i}$A${i}\n`)}`,
      '/stack/compose.yaml': service,
    },
    '.env:17:5 the text grows to more than 4194304 characters',
  ],
  [
    'defaults in defaults',
    `services: {a: {image: "${'${A:-'.repeat(150)}x${'}'.repeat(150)}"}}`,
    'compose.yaml:1:524 variables are nested more than 100 levels deep',
  ],
  [
    'lists in lists',
    `x-a: ${'['.repeat(400)}${']'.repeat(400)}\n${service}`,
    'compose.yaml:1:205 values are nested more than 200 levels deep',
  ],
  [
    'brackets that are never closed',
    `x-a: ${'['.repeat(2_000_000)}`,
    'compose.yaml:1:1006 values are nested more than 200 levels deep',
  ],
  [
    'mappings in mappings, a line each',
    `x-a:\n${repeated(400, (i) => `${' '.repeat(i + 1)}a:\n`)}${service}`,
    'compose.yaml:201:201 values are nested more than 200 levels deep',
  ],
  [
    'dashes without end',
    `x-a:\n ${'- '.repeat(500_000)}x\n`,
    'compose.yaml:2:2002 values are nested more than 200 levels deep',
  ],
  [
    'ranges of ports',
    `services: {a: {image: x, ports: [${repeated(250, (i) => `"127.0.0.${i}:1-65535:1-65535", `)}]}}`,
    'compose.yaml:1:121 the stack grows to more than 200000 ports',
  ],
  [
    'services that extend a large one',
    `services:\n  base: {image: x, command: [${'x, '.repeat(1000)}]}\n${repeated(2000, (i) => `  s${i}: {extends: base}\n`)}`,
    'compose.yaml:501:10 the stack grows to more than 500000 values by "extends"',
  ],
  [
    'services that extend each other, one behind the other',
    `services:\n${repeated(20_000, (i) => `  s${i}: {extends: s${i + 1}}\n`)}  s20000: {image: x}\n`,
    'compose.yaml:201:10 services.s199.extends: services extend each other more than 200 levels deep',
  ],
  [
    'services that depend on each other, one behind the other',
    `services:\n${repeated(20_000, (i) => `  s${i}: {image: x, depends_on: [s${i + 1}]}\n`)}  s20000: {image: x}\n`,
    'compose.yaml:2002:3 services depend on each other in a chain of more than 2000',
  ],
  [
    'files that include the next one twice',
    {
      '/stack/compose.yaml': `include: [i0.yaml, i0.yaml]\n${service}`,
      ...Object.fromEntries(
        Array.from({length: 40}, (_, i) => [
          `/stack/i${i}.yaml`,
          `include: [i${i + 1}.yaml, i${i + 1}.yaml]\nservices: {s${i}: {image: x}}`,
        ]),
      ),
      '/stack/i40.yaml': 'services: {last: {image: x}}',
    },
    'i39.yaml:1:21 include: more than 1000 files are read',
  ],
  [
    'a large file that is included again and again',
    {
      '/stack/compose.yaml': `include: [${'b.yaml, '.repeat(100)}]\n${service}`,
      '/stack/b.yaml': `services: {b: {image: x}}\n#${'x'.repeat(3_000_000)}`,
    },
    'compose.yaml:1:51 the stack grows to more than 16777216 characters in other files',
  ],
  [
    'an anchor within itself',
    `x-a: &a [*a]\n${service}`,
    'compose.yaml:1:10 *a: no anchor &a is defined above it in this file',
  ],
];

/** Files of other machines, wherever a stack may name one. */
const addresses: readonly string[] = [
  'oci://registry.test/team/stack:1',
  'https://example.test/compose.yaml',
  'http://example.test/compose.yaml',
  'git://example.test/team/stack',
  'ssh://git@example.test/team/stack',
  'git@example.test:team/stack',
  'https://example.test/team/stack.git#main:sub',
  '../stack.git#main',
  'github.com/team/stack',
];

async function told(files: string | Files): Promise<readonly string[]> {
  const {diagnostics} = await failure(files);
  return diagnostics.map(({file, line, column, message}) => `${file}:${line}:${column} ${message}`);
}

describe('what a small text may grow to', () => {
  it.each(growing)('%s', async (_name, files, message) => {
    expect((await told(files))[0]).toBe(message);
  });
});

describe('the size of a file', () => {
  const stackOf = (bytes: number): string => service + '#'.repeat(bytes - service.length);

  it('may be 4 MB', async () => {
    expect(Object.keys((await load(stackOf(defaultMaxFileSize))).project.services)).toEqual(['a']);
    expect(await failure(stackOf(defaultMaxFileSize + 1))).toMatchObject({
      kind: 'invalid',
      message: 'the stack file "compose.yaml" has more than 4194304 bytes',
      hint: 'allow more with --max-file-size',
    });
  });

  it('may be what --max-file-size says, for every file that is read', async () => {
    const files = {
      '/stack/compose.yaml': 'include: [b.yaml]\nservices: {a: {image: x, env_file: a.env, label_file: a.env}}',
      '/stack/b.yaml': stackOf(2000).replace('a:', 'b:'),
      '/stack/a.env': `A=1\n${'#'.repeat(2000)}`,
      '/stack/.env': `B=1\n${'#'.repeat(2000)}`,
    };
    expect(Object.keys((await load(files, {maxFileSize: 3000})).project.services).sort()).toEqual(['a', 'b']);
    const {'/stack/.env': environment, ...others} = files;
    expect(await failure({...others, '/stack/.env': environment}, {maxFileSize: 1000})).toMatchObject({
      message: 'the environment file ".env" has more than 1000 bytes',
    });
    const included = await failure(others, {maxFileSize: 1000});
    expect(included.diagnostics.map(({message, hint}) => [message, hint])).toEqual([
      ['include: the stack file "b.yaml" has more than 1000 bytes', 'allow more with --max-file-size'],
      ['the environment file "a.env" has more than 1000 bytes', 'allow more with --max-file-size'],
      ['the label file "a.env" has more than 1000 bytes', 'allow more with --max-file-size'],
    ]);
  });

  it('of a config or secret may be 16 MB', async () => {
    const stack = 'services: {a: {image: x, secrets: [s]}}\nsecrets: {s: {file: ./s}}';
    const files = (bytes: number): Files => ({'/stack/compose.yaml': stack, '/stack/s': 'x'.repeat(bytes)});
    const most = 16 * 1024 * 1024;
    expect((await load(files(most), {requireSources: true})).project.secrets['s']?.digest).toBeDefined();
    expect((await load(files(most + 1))).project.secrets['s']?.digest).toBeUndefined();
    expect(await failure(files(most + 1), {requireSources: true})).toMatchObject({
      message: 'secrets.s: cannot read "s": it has more than 16777216 bytes',
    });
  });
});

describe('files of other machines', () => {
  const reason = 'is on another machine, and remote stack files are not supported yet';
  const hint = 'copy the file into the project';

  it.each(addresses)('%s is refused in include, extends, -f and COMPOSE_FILE', async (address) => {
    const including = `include: ["${address}"]\n${service}`;
    expect(await told(including)).toEqual([`compose.yaml:1:11 include: "${address}" ${reason}`]);
    const among = `include: [{path: [b.yaml, "${address}"]}]\n${service}`;
    expect(await told({'/stack/compose.yaml': among, '/stack/b.yaml': 'services: {b: {image: b}}'})).toEqual([
      `compose.yaml:1:27 include: "${address}" ${reason}`,
    ]);
    const extending = `services: {a: {extends: {file: "${address}", service: a}, image: x}}`;
    expect(await told(extending)).toEqual([`compose.yaml:1:32 services.a.extends: "${address}" ${reason}`]);
    const named = {kind: 'unsupported', message: `"${address}" ${reason}`, hint, exitCode: 65};
    expect(await failure(service, {files: [address]})).toMatchObject(named);
    expect(await failure(service, {environment: {COMPOSE_FILE: address}})).toMatchObject(named);
  });

  it('are refused in a file that another one includes, too', async () => {
    const files = {
      '/stack/compose.yaml': `include: [sub/b.yaml]\n${service}`,
      '/stack/sub/b.yaml': 'include: ["https://example.test/../../etc/passwd"]\nservices: {b: {image: x}}',
    };
    expect(await told(files)).toEqual([`sub/b.yaml:1:11 include: "https://example.test/../../etc/passwd" ${reason}`]);
  });
});
