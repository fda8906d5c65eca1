import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {endpointsOf} from '../../../src/engine/registry/endpoints.ts';
import {readRegistrySettings} from '../../../src/engine/registry/settings.ts';
import {makeCertificate} from '../../support/registry.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-settings-'));
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

const path = () => join(directory, 'registries.json');
const read = async (registries: object) => {
  writeFileSync(path(), JSON.stringify({registries}));
  return await readRegistrySettings({paths: [path()], isRequired: true});
};

it('each setting comes from the closest key that has it', async () => {
  const settingsOf = await read({
    '*': {mirrors: ['https://all.example']},
    '*.corp.example': {insecure: true, mirrors: ['https://corp.example/m']},
    'one.corp.example:5000': {insecure: false},
    '10.0.0.0/8': {insecure: true},
    '10.1.0.0/16': {insecure: false},
    'index.docker.io': {mirrors: ['https://hub.example']},
  });
  expect(settingsOf('other.example')).toEqual({mirrors: ['https://all.example']});
  expect(settingsOf('two.corp.example')).toEqual({insecure: true, mirrors: ['https://corp.example/m']});
  expect(settingsOf('one.corp.example:5000')).toEqual({insecure: false, mirrors: ['https://corp.example/m']});
  expect(settingsOf('10.2.3.4:5000')).toMatchObject({insecure: true});
  expect(settingsOf('10.1.3.4:5000')).toMatchObject({insecure: false});
  expect(settingsOf('docker.io')).toEqual({mirrors: ['https://hub.example']});
});

it.each([
  ['{', 'is not JSON'],
  ['[]', 'must be object'],
  ['{"registries": {"a": {"insecur": true}}}', 'must NOT have additional properties: "insecur"'],
  ['{"registries": {"a": {"insecure": "yes"}}}', '/registries/a/insecure must be boolean'],
  ['{"registries": {"a": {"mirrors": ["mirror.example"]}}}', '/registries/a/mirrors/0 must match pattern'],
  ['{"registries": {"a": {"mirrors": ["https://me:secret@mirror.example"]}}}', 'must match pattern'],
  ['{"registries": {"a": {"cert": "c.pem"}}}', '"a" needs both "cert" and "key", or neither'],
  ['{"registries": {"10.0.0.0/64": {}}}', '"10.0.0.0/64" is neither a host nor a range of addresses'],
])('%s is refused with its place', async (text, message) => {
  writeFileSync(path(), text);
  await expect(readRegistrySettings({paths: [path()], isRequired: false})).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringMatching(new RegExp(`^${path()}.*${message.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`)),
  });
});

it('a file that is asked for must be there, another need not', async () => {
  await expect(readRegistrySettings({paths: [path()], isRequired: true})).rejects.toMatchObject({kind: 'notFound'});
  expect((await readRegistrySettings({paths: [path()], isRequired: false}))('docker.io')).toEqual({});
});

const places = async (registries: object, registry: string, use: 'pull' | 'push' = 'pull') => {
  const settingsOf = await read(registries);
  const found = await endpointsOf(registry, use, {settingsOf, certificateDirectories: [join(directory, 'certs.d')]});
  return found.map(({bases, tls}) => ({bases, verify: tls.verify}));
};

it('registries of this machine may speak plain HTTP, others only where it is said', async () => {
  const plain = (host: string) => ({bases: [`https://${host}`, `http://${host}`], verify: false});
  const safe = (host: string) => ({bases: [`https://${host}`], verify: true});
  for (const host of ['localhost:5000', '127.0.0.1:5000', '[::1]:5000']) {
    expect(await places({}, host)).toEqual([plain(host)]);
    expect(await places({[host]: {insecure: false}}, host)).toEqual([safe(host)]);
  }
  expect(await places({}, '10.0.0.1:5000')).toEqual([safe('10.0.0.1:5000')]);
  expect(await places({'10.0.0.0/8': {insecure: true}}, '10.0.0.1:5000')).toEqual([plain('10.0.0.1:5000')]);
  expect(await places({}, 'docker.io')).toEqual([safe('registry-1.docker.io')]);
});

it('whoever says what to trust on this machine wants it checked', async () => {
  const {file} = makeCertificate(directory);
  expect(await places({'127.0.0.1:5000': {ca: file}}, '127.0.0.1:5000')).toEqual([
    {bases: ['https://127.0.0.1:5000'], verify: true},
  ]);
});

it('mirrors come first, for pulls only, each as its own host says', async () => {
  const registries = {
    'docker.io': {mirrors: ['https://10.0.0.1/hub/', 'http://127.0.0.1:5000']},
    '10.0.0.1': {insecure: true},
  };
  expect(await places(registries, 'docker.io')).toEqual([
    {bases: ['https://10.0.0.1/hub'], verify: false},
    {bases: ['http://127.0.0.1:5000'], verify: false},
    {bases: ['https://registry-1.docker.io'], verify: true},
  ]);
  expect(await places(registries, 'docker.io', 'push')).toHaveLength(1);
  const only = {'docker.io': {mirrors: ['https://10.0.0.1'], mirrorsOnly: true}};
  expect((await places(only, 'docker.io')).flatMap(({bases}) => bases)).toEqual(['https://10.0.0.1']);
  await expect(places({'docker.io': {mirrorsOnly: true}}, 'docker.io')).rejects.toMatchObject({kind: 'forbidden'});
});
