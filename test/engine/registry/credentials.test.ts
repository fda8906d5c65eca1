import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {inspect} from 'node:util';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createCredentials} from '../../../src/engine/registry/credentials/credentials.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tscompose-credentials-'));
  mkdirSync(join(home, '.docker'));
});
afterEach(() => rmSync(home, {recursive: true, force: true}));

const file = () => join(home, '.docker/config.json');
const write = (value: object) => writeFileSync(file(), JSON.stringify(value));
const content = () => JSON.parse(readFileSync(file(), 'utf8')) as unknown;
const credentials = (more: Readonly<Record<string, string>> = {}) =>
  createCredentials({HOME: home, PATH: `${join(home, 'bin')}:${process.env['PATH']}`, ...more});
const auth = (user: string, password: string) => ({auth: Buffer.from(`${user}:${password}`).toString('base64')});
const ada = {username: 'ada', password: 'love:lace'};

/** A credential helper that keeps what it is given in a file, and notes what it was asked. */
function install(name: string, kept: object = {}): string {
  mkdirSync(join(home, 'bin'), {recursive: true});
  const store = join(home, `${name}.json`);
  writeFileSync(store, JSON.stringify(kept));
  const program = join(home, 'bin', `docker-credential-${name}`);
  writeFileSync(
    program,
    `#!${process.execPath}
const fs = require('fs');
const input = fs.readFileSync(0, 'utf8');
const kept = JSON.parse(fs.readFileSync(${JSON.stringify(store)}, 'utf8'));
const verb = process.argv[2];
if (verb === 'get') {
  if (!kept[input]) { console.log('credentials not found in native keychain'); process.exit(1); }
  console.log(JSON.stringify(kept[input]));
} else {
  if (verb === 'store') kept[JSON.parse(input).ServerURL] = JSON.parse(input);
  else if (verb === 'erase') delete kept[input];
  fs.writeFileSync(${JSON.stringify(store)}, JSON.stringify(kept));
}
`,
  );
  chmodSync(program, 0o755);
  return store;
}

it.each([
  ['docker.io', 'https://index.docker.io/v1/'],
  ['localhost:5000', 'localhost:5000'],
  ['localhost:5000', 'https://localhost:5000/v1/'],
  ['registry.example', 'http://registry.example'],
])('of %s are found under "%s"', async (registry, key) => {
  write({auths: {[key]: auth('ada', 'love:lace')}});
  expect(await credentials().find(registry)).toEqual(ada);
  expect(await credentials().find('other.example')).toBeUndefined();
});

describe('are written', () => {
  it('so that everything else of the file stays, and nobody else reads it', async () => {
    write({auths: {'other.example': auth('x', 'y')}, psFormat: 'table', plugins: {a: {b: 'c'}}});
    chmodSync(file(), 0o644);
    expect(await credentials().store('localhost:5000', ada)).toEqual({file: file()});
    expect(content()).toEqual({
      auths: {'other.example': auth('x', 'y'), 'localhost:5000': auth('ada', 'love:lace')},
      psFormat: 'table',
      plugins: {a: {b: 'c'}},
    });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(await credentials().erase('localhost:5000')).toBe(true);
    expect(await credentials().erase('localhost:5000')).toBe(false);
    expect(content()).toMatchObject({auths: {'other.example': auth('x', 'y')}});
  });

  it('through a link, which stays one', async () => {
    const target = join(home, 'elsewhere.json');
    writeFileSync(target, '{}');
    symlinkSync(target, file());
    await credentials().store('docker.io', {username: 'ada', identityToken: 'refresh'});
    expect(JSON.parse(readFileSync(target, 'utf8'))).toEqual({
      auths: {'https://index.docker.io/v1/': {...auth('ada', ''), identitytoken: 'refresh'}},
    });
    expect(await credentials().find('docker.io')).toEqual({identityToken: 'refresh'});
  });

  it('where DOCKER_CONFIG says', async () => {
    const directory = join(home, 'new/config');
    await credentials({DOCKER_CONFIG: directory}).store('localhost:5000', ada);
    expect(await credentials({DOCKER_CONFIG: directory}).find('localhost:5000')).toEqual(ada);
    expect(await credentials().find('localhost:5000')).toBeUndefined();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });
});

describe('of a helper', () => {
  it('are got, kept and forgotten, and stand in no file', async () => {
    install('box');
    write({credsStore: 'box'});
    expect(await credentials().store('localhost:5000', ada)).toEqual({helper: 'box'});
    expect(content()).toEqual({credsStore: 'box', auths: {'localhost:5000': {}}});
    expect(await credentials().find('localhost:5000')).toEqual(ada);
    expect(await credentials().find('other.example')).toBeUndefined();
    await credentials().erase('localhost:5000');
    expect(await credentials().find('localhost:5000')).toBeUndefined();
  });

  it('of one registry come before those for all', async () => {
    install('all', {'localhost:5000': {Username: 'all', Secret: 'x'}});
    install('one', {'localhost:5000': {Username: '<token>', Secret: 'refresh'}});
    write({credsStore: 'all', credHelpers: {'localhost:5000': 'one'}});
    expect(await credentials().find('localhost:5000')).toEqual({identityToken: 'refresh'});
  });

  it('that is not there are told', async () => {
    write({credsStore: 'nowhere'});
    await expect(credentials().find('docker.io')).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'cannot run the credential helper docker-credential-nowhere: it is not installed',
    });
  });

  it('that is not there, or fails, is told, and what a file has counts', async () => {
    const told: string[] = [];
    const find = (registry: string) =>
      createCredentials({HOME: home, PATH: `${join(home, 'bin')}:${process.env['PATH']}`}, ({message}) =>
        told.push(message),
      ).find(registry);
    install('locked');
    writeFileSync(join(home, 'bin/docker-credential-locked'), '#!/bin/sh\necho the store is locked\nexit 1\n');
    write({
      credsStore: 'nowhere',
      credHelpers: {'two.example': 'locked'},
      auths: {'one.example': auth('ada', 'love:lace')},
    });
    expect(await find('docker.io')).toBeUndefined();
    expect(await find('one.example')).toEqual(ada);
    expect(await find('two.example')).toBeUndefined();
    const missing = 'cannot run the credential helper docker-credential-nowhere: it is not installed';
    expect(told).toEqual([missing, missing, 'docker-credential-locked get failed: the store is locked']);
  });

  it('that answer what is no JSON are named, and what they said is not repeated', async () => {
    install('broken');
    writeFileSync(join(home, 'bin/docker-credential-broken'), '#!/bin/sh\necho c2VjcmV0\n');
    write({credsStore: 'broken'});
    const error = await credentials()
      .find('docker.io')
      .catch((reason: Error) => reason);
    expect(error).toMatchObject({message: 'docker-credential-broken get answered what is not a JSON object'});
    expect(inspect(error)).not.toContain('c2Vj');
  });

  it('whose name is a path are refused', async () => {
    write({credsStore: '../../bin/sh'});
    await expect(credentials().find('docker.io')).rejects.toMatchObject({kind: 'invalid'});
  });
});

it('DOCKER_AUTH_CONFIG comes before the file', async () => {
  write({auths: {'localhost:5000': auth('file', 'x')}});
  const stated = JSON.stringify({auths: {'localhost:5000': auth('ada', 'love:lace')}});
  expect(await credentials({DOCKER_AUTH_CONFIG: stated}).find('localhost:5000')).toEqual(ada);
  await expect(credentials({DOCKER_AUTH_CONFIG: '{'}).find('localhost:5000')).rejects.toMatchObject({kind: 'invalid'});
});

it("podman's file is read too, the longest part of the name first", async () => {
  const path = join(home, 'auth.json');
  writeFileSync(
    path,
    JSON.stringify({auths: {'quay.example': auth('all', 'x'), 'quay.example/team/web': auth('ada', 'love:lace')}}),
  );
  const podman = credentials({REGISTRY_AUTH_FILE: path});
  expect(await podman.find('quay.example', 'team/web')).toEqual(ada);
  expect(await podman.find('quay.example', 'team/other')).toEqual({username: 'all', password: 'x'});
});

it('a damaged file is named', async () => {
  writeFileSync(file(), '{');
  await expect(credentials().find('docker.io')).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringContaining(`${file()} is not JSON`),
  });
});

it.each(['c2VjcmV0', '{"auths":{"a":{"auth":c2VjcmV0}}}'])(
  'what is no JSON (%s) is not repeated: it may be a password',
  async (text) => {
    const error = await credentials({DOCKER_AUTH_CONFIG: text})
      .find('a')
      .catch((reason: Error) => reason);
    expect(error).toMatchObject({kind: 'invalid', message: 'DOCKER_AUTH_CONFIG is not JSON'});
    expect(inspect(error)).not.toContain('c2Vj');
  },
);
