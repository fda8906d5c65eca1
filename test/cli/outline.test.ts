import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {sha256Hex} from '../../src/base/canonical-json.ts';
import {loadOutline} from '../../src/cli/outline/load-outline.ts';
import type {LoadRequest} from '../../src/model/load.ts';

let base: string;
let work: string;
const place = () => join(base, 'cache/tscompose/stacks');

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'tsc-outline-'));
  work = join(base, 'work');
  mkdirSync(join(work, 'parts'), {recursive: true});
  put('compose.yaml', stack);
  put('parts/base.yaml', 'services: {base: {image: "base:1"}}\n');
  put('parts/more.yaml', 'services: {more: {image: more}}\n');
  put('web.env', 'A=1\n');
  put('token', 'secret');
  put('.env.staging', '');
});

afterEach(() => rmSync(base, {recursive: true, force: true}));

const stack = `
name: shop
include: [parts/more.yaml]
services:
  web:
    image: web:\${TAG:-1}
    extends: {file: parts/base.yaml, service: base}
    env_file: [web.env, {path: late.env, required: false}]
    environment: [FROM_SHELL]
    secrets: [token]
  debug: {image: busybox, profiles: [tools, dev]}
secrets: {token: {file: token}}
`;

function put(name: string, text: string): void {
  writeFileSync(join(work, name), text);
}

interface Change {
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: string;
  readonly request?: Partial<LoadRequest>;
}

async function load({env = {}, program = 'main-1', request = {}}: Change = {}) {
  const environment = {HOME: base, XDG_CACHE_HOME: join(base, 'cache'), ...env};
  const context = {env: environment, program};
  return loadOutline(context, {workingDirectory: work, environment, profiles: ['*'], allResources: true, ...request});
}

const entries = () => (existsSync(place()) ? readdirSync(place()) : []);

/** Writes into what was kept, so that it is known again when it is taken. */
function mark(): void {
  const [key = '', ...others] = entries();
  expect(others).toEqual([]);
  const text = readFileSync(join(place(), key), 'utf8');
  const json = text.slice(text.indexOf('\n') + 1).replace('"name":"shop"', '"name":"kept"');
  writeFileSync(join(place(), key), `${sha256Hex(json)}\n${json}`);
}

test('an outline has the names of a stack and none of its values', async () => {
  const {outline, warnings} = await load({env: {FROM_SHELL: 'hidden value'}});
  expect(outline).toEqual({
    name: 'shop',
    services: expect.arrayContaining([
      {name: 'web', image: 'web:1'},
      {name: 'debug', image: 'busybox', profiles: ['tools', 'dev']},
      {name: 'more', image: 'more'},
    ]),
  });
  expect(warnings).toEqual([]);
  const [key = ''] = entries();
  const text = readFileSync(join(place(), key), 'utf8');
  for (const value of ['hidden value', 'secret"', 'A=1']) expect(text).not.toContain(value);
  expect(statSync(join(place(), key)).mode & 0o777).toBe(0o600);
  expect(statSync(place()).mode & 0o777).toBe(0o700);
});

test('what was kept is taken as long as nothing that it was made from changes', async () => {
  const first = await load();
  mark();
  const kept = {...first.outline, name: 'kept'};
  expect((await load()).outline).toEqual(kept);
  // Nobody looked at these.
  expect((await load({env: {SHLVL: '7', OLDPWD: '/'}})).outline).toEqual(kept);
  put('unrelated.env', 'B=2\n');
  expect((await load()).outline).toEqual(kept);
});

test.each<readonly [string, Change | (() => void)]>([
  ['the stack file', () => put('compose.yaml', `${stack}x-more: 1\n`)],
  ['an included file', () => put('parts/more.yaml', 'services: {more: {image: other}}\n')],
  ['a file that a service extends', () => put('parts/base.yaml', 'services: {base: {image: "base:2"}}\n')],
  ['a file of variables', () => put('web.env', 'A=2\n')],
  ['a file of variables that was not there', () => put('late.env', 'A=3\n')],
  ['the source of a secret', () => put('token', 'another')],
  ['the source of a secret, taken away', () => rmSync(join(work, 'token'))],
  ['an override file that was not there', () => put('compose.override.yaml', 'services: {extra: {image: x}}\n')],
  ['a .env file that was not there', () => put('.env', 'TAG=2\n')],
  ['a variable of the stack file', {env: {TAG: '2'}}],
  ['a variable that a service takes over', {env: {FROM_SHELL: '1'}}],
  ['a setting', {env: {COMPOSE_FILE: 'compose.yaml'}}],
  ['the environment by name', {env: {TSCOMPOSE_ENV: 'staging'}}],
  ['the program', {program: 'main-2'}],
  ['an argument', {request: {profiles: ['tools']}}],
  ['the name', {request: {projectName: 'shop'}}],
])('it is read anew after a change of %s', async (_, change) => {
  await load();
  mark();
  if (typeof change === 'function') change();
  expect((await load(typeof change === 'function' ? {} : change)).outline.name).toBe('shop');
});

test.each<readonly [string, (path: string) => void]>([
  ['was cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, 200))],
  ['has zeros in it', (path) => writeFileSync(path, readFileSync(path).fill(0, 100, 120))],
  ['is empty', (path) => writeFileSync(path, '')],
  ['others can write', (path) => chmodSync(path, 0o666)],
  [
    'is a link',
    (path) => {
      renameSync(path, join(base, 'elsewhere'));
      symlinkSync(join(base, 'elsewhere'), path);
    },
  ],
])('what was kept is not taken when it %s', async (_, spoil) => {
  await load();
  mark();
  spoil(join(place(), entries()[0] ?? ''));
  expect((await load()).outline.name).toBe('shop');
  // And is good again.
  mark();
  expect((await load()).outline.name).toBe('kept');
});

test('warnings are told each time; a suggestion depends on the names of all variables', async () => {
  put('compose.yaml', 'version: "3"\nname: shop\nservices: {web: {image: "a:$TAGG"}}\n');
  const told = async (env: Readonly<Record<string, string>>) => (await load({env})).warnings.map(({code}) => code);
  const codes = await told({});
  expect(codes).toContain('obsolete');
  mark();
  expect(await told({})).toEqual(codes);
  expect((await load()).outline.name).toBe('kept');
  expect((await load({env: {TAG: '1'}})).outline.name).toBe('shop');
});

test('problems are not kept', async () => {
  put('compose.yaml', 'services: {web: {imgae: a}}\n');
  await expect(load()).rejects.toMatchObject({kind: 'invalid'});
  expect(entries()).toEqual([]);
});

test('there are not more than 64; the oldest go', async () => {
  await load();
  const [oldest = ''] = entries();
  utimesSync(join(place(), oldest), 1, 1);
  writeFileSync(join(place(), '.torn-1'), 'left behind');
  utimesSync(join(place(), '.torn-1'), 0, 0);
  for (let index = 0; index < 70; index += 1) {
    await load({request: {projectName: `p${index}`}});
    expect(entries().length).toBeLessThanOrEqual(64);
  }
  expect(entries()).not.toContain(oldest);
  expect(entries()).not.toContain('.torn-1');
});

test('without a place nothing is kept', async () => {
  const {outline} = await load({env: {XDG_CACHE_HOME: 'relative'}});
  expect(outline.name).toBe('shop');
  expect(existsSync(join(base, 'cache'))).toBe(false);
  writeFileSync(join(base, 'cache'), 'a file is in the way');
  expect((await load()).outline.name).toBe('shop');
});
