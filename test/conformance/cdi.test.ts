import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {DeviceRequestBody, HostConfig} from '../../src/api/types/container.ts';
import {cdiName, placeCdiFile} from '../support/cdi-file.ts';
import {eventually} from '../support/host.ts';
import {refusal, runOnce} from './run-once.ts';
import {describeTargets, type Target} from './targets.ts';

/** A kind that no other test has. */
const vendor = `${cdiName()}.example`;
const kind = `${vendor}/dev`;

/** Given to containers. */
const given = mkdtempSync(join(tmpdir(), 'tsc-cdi-'));
writeFileSync(join(given, 'file'), 'given');

/** A device that no driver has, see devices.test.ts. */
const unused = {type: 'c', major: 240, minor: 7} as const;
const may = 'No such device or address';
const mayNot = 'Operation not permitted';

const described = {
  cdiVersion: '0.7.0',
  kind,
  containerEdits: {env: ['OF_ALL=1']},
  devices: [
    {
      name: 'one',
      containerEdits: {
        env: ['ONE=1', 'OVER=cdi'],
        deviceNodes: [{path: '/dev/one', hostPath: '/dev/zero'}],
        mounts: [{hostPath: given, containerPath: '/given', options: ['ro', 'rbind', 'rprivate', 'nosuid']}],
      },
    },
    {name: 'two', containerEdits: {env: ['TWO=2'], deviceNodes: [{path: '/dev/two', ...unused, permissions: 'r'}]}},
    {
      name: 'owned',
      containerEdits: {deviceNodes: [{path: '/dev/owned', ...unused, uid: 5, gid: 6, fileMode: 0o640}]},
    },
    {name: 'missing', containerEdits: {deviceNodes: [{path: '/dev/not-there'}]}},
    {name: 'mismatch', containerEdits: {deviceNodes: [{path: '/dev/x', hostPath: '/dev/zero', type: 'b'}]}},
    {
      name: 'memory',
      containerEdits: {
        mounts: [{hostPath: 'tmpfs', containerPath: '/memory', type: 'tmpfs', options: ['size=1m', 'noexec']}],
      },
    },
    {name: 'twice', containerEdits: {env: ['TWICE=1']}},
  ],
};
const files: Disposable[] = [];
beforeAll(() => {
  files.push(
    placeCdiFile(
      `cdiVersion: 0.5.0\nkind: ${vendor}/yaml\ndevices:\n- name: "1"\n  containerEdits:\n    env: [YAML=1]\n`,
      'yaml',
    ),
    placeCdiFile({...described, devices: [{name: 'twice', containerEdits: {env: ['TWICE=2']}}]}),
    placeCdiFile({
      cdiVersion: '0.6.0',
      kind: `${vendor}/odd`,
      more: 1,
      devices: [{name: 'one', containerEdits: {env: ['ODD=1']}}],
    }),
    placeCdiFile({
      cdiVersion: '99.0.0',
      kind: `${vendor}/future`,
      devices: [{name: 'one', containerEdits: {env: ['A=1']}}],
    }),
    placeCdiFile('{no json'),
    // The last: who knows it knows the others.
    placeCdiFile(described),
  );
});
afterAll(() => {
  for (const file of files) file[Symbol.dispose]();
  rmSync(given, {recursive: true});
});

const request = (body: DeviceRequestBody): HostConfig => ({DeviceRequests: [body]});
const named = (...names: readonly string[]): HostConfig =>
  request({Driver: 'cdi', DeviceIDs: names.map((name) => (name.includes('/') ? name : `${kind}=${name}`))});

/** An engine that watches the directory notices a new file a moment later. */
async function noticed(target: Target): Promise<void> {
  await eventually(async () => expect(await refusal(target, named('one'), {Cmd: ['true']})).toBe('it runs'));
}

describeTargets('CDI devices', (target) => {
  beforeAll(() => noticed(target));
  const run = async (host: HostConfig, line: string, body = {}): Promise<string> =>
    (await runOnce(target, line, host, body)).text;

  it('bring variables, device files and mounts', async () => {
    const line = `echo $OF_ALL $ONE $OVER $MINE; stat -c '%A %u:%g %t,%T' /dev/one; head -c3 /dev/one | wc -c
      cat /given/file; echo; touch /given/x; grep -c " /given .*nosuid" /proc/mounts`;
    expect((await run(named('one'), line, {Env: ['OVER=own', 'MINE=1']})).split('\n')).toEqual([
      '1 1 cdi 1',
      'crw-rw-rw- 0:0 1,5',
      '3',
      'given',
      expect.stringContaining('Read-only file system'),
      '1',
    ]);
  });

  it('several at once, and one twice', async () => {
    expect(await run(named('one', 'two', 'two'), 'echo $OF_ALL $ONE $TWO; ls /dev/one /dev/two')).toBe(
      '1 1 2\n/dev/one\n/dev/two',
    );
    const both = {DeviceRequests: [...(named('one').DeviceRequests ?? []), ...(named('two').DeviceRequests ?? [])]};
    expect(await run(both, 'echo $OF_ALL $ONE $TWO')).toBe('1 1 2');
  });

  it('have the permissions that the file says', async () => {
    const line = 'head -c1 /dev/two; echo x >/dev/two';
    expect(await run(named('two'), line)).toMatch(new RegExp(`${may}\\n.*${mayNot}$`));
    expect(await run(named('owned'), "stat -c '%A %u:%g %t,%T' /dev/owned")).toBe('crw-r----- 5:6 f0,7');
  });

  it('bring memory file systems', async () => {
    expect(await run(named('memory'), 'grep " /memory " /proc/mounts')).toMatch(
      /^tmpfs \/memory tmpfs rw,noexec.*size=1024k/,
    );
  });

  it('are described in YAML as well', async () => {
    expect(await run(named(`${vendor}/yaml=1`), 'echo $YAML')).toBe('1');
  });

  it('are shown by inspect as they were asked for', async () => {
    const container = await target.create({HostConfig: named('one')});
    expect((await container.inspect()).HostConfig.DeviceRequests).toMatchObject([
      {Driver: 'cdi', DeviceIDs: [`${kind}=one`]},
    ]);
  });

  it.each([
    ['one that nobody describes', ['none', 'nun'], `unresolvable CDI devices ${kind}=none, ${kind}=nun`],
    ['what is no name', ['/bad'], 'unresolvable CDI devices /bad'],
    ['one that two files describe', ['twice'], `unresolvable CDI devices ${kind}=twice`],
    ['one of a file with an unknown member', [`${vendor}/odd=one`], `unresolvable CDI devices ${vendor}/odd=one`],
    ['one of a later version', [`${vendor}/future=one`], `unresolvable CDI devices ${vendor}/future=one`],
    ['one whose device is not there', ['missing'], 'failed to stat CDI host device "/dev/not-there": no such file'],
    ['one that is another device', ['mismatch'], 'CDI device ("/dev/x", "/dev/zero"), host type mismatch (b, c)'],
  ])('are refused: %s', async (_name, names, message) => {
    expect(await refusal(target, named(...names))).toContain(`CDI device injection failed: `);
    expect(await refusal(target, named(...names))).toContain(message);
  });

  it.each([
    ['a count', {Driver: 'cdi', Count: 1}, 'unexpected count in CDI device request'],
    [
      'options',
      {Driver: 'cdi', DeviceIDs: [`${kind}=one`], Options: {a: 'b'}},
      'unexpected options in CDI device request',
    ],
    [
      'another driver',
      {Driver: 'abacus', Count: -1, Capabilities: [['gpu']]},
      'could not select device driver "abacus" with capabilities: [[gpu]]',
    ],
    [
      'what no driver can',
      {Driver: '', Count: -1, Capabilities: [['abacus', 'utility'], ['beads']]},
      'could not select device driver "" with capabilities: [[abacus utility] [beads]]',
    ],
  ])('are refused with %s', async (_name, body, message) => {
    expect(await refusal(target, request(body))).toContain(message);
  });
});
