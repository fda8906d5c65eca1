import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {DeviceRequestBody} from '../../../../src/api/types/container.ts';
import {applyCdi} from '../../../../src/engine/container/devices/cdi/edits.ts';
import {type CdiRegistry, readRegistry} from '../../../../src/engine/container/devices/cdi/registry.ts';
import {parseCdiSpec} from '../../../../src/engine/container/devices/cdi/spec.ts';
import {requestedDevices} from '../../../../src/engine/container/devices/requests.ts';

const spec = (kind: string, ...names: readonly string[]) => ({
  cdiVersion: '0.6.0',
  kind,
  devices: names.map((name) => ({name, containerEdits: {env: [`NAME=${name}`]}})),
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-cdi-unit-'));
  for (const name of ['low', 'high']) mkdirSync(join(directory, name));
});
afterEach(() => rmSync(directory, {recursive: true}));

async function registryOf(files: Readonly<Record<string, object | string>>): Promise<CdiRegistry> {
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  return readRegistry([join(directory, 'low'), join(directory, 'high'), join(directory, 'none')]);
}

describe('CDI files', () => {
  test('of a later directory go before those of an earlier one, and contradict only their own', async () => {
    const {devices, problems} = await registryOf({
      'low/a.json': spec('v.example/c', 'one', 'two'),
      'high/b.json': {...spec('v.example/c', 'one'), containerEdits: {env: ['HIGH=1']}},
      'high/c.yaml': 'cdiVersion: 0.5.0\nkind: v.example/yaml\ndevices:\n- name: "0"\n  containerEdits: {}\n',
      'high/notes.txt': 'no file of theirs',
    });
    expect([...devices.keys()].sort()).toEqual(['v.example/c=one', 'v.example/c=two', 'v.example/yaml=0']);
    expect(devices.get('v.example/c=one')?.spec.edits.env).toEqual(['HIGH=1']);
    expect(problems).toEqual([]);
  });

  test('that say two things of one device, or are faulty, offer it not, and say why', async () => {
    const {devices, problems} = await registryOf({
      'low/a.json': spec('v.example/c', 'one', 'two'),
      'low/b.json': spec('v.example/c', 'one'),
      'low/c.json': '{',
      'low/d.yaml': 'a: [',
    });
    expect([...devices.keys()]).toEqual(['v.example/c=two']);
    expect(problems).toEqual([
      `v.example/c=one: described by ${directory}/low/a.json and ${directory}/low/b.json`,
      expect.stringContaining(`${directory}/low/c.json: `),
      expect.stringContaining(`${directory}/low/d.yaml: `),
    ]);
  });

  test.each([
    [{cdiVersion: '2.0.0'}, 'unknown cdiVersion "2.0.0"'],
    [{kind: 'gpu'}, 'kind "gpu" is not of the form vendor.com/class'],
    [{more: 1}, 'the file: unknown member "more"'],
    [{devices: [{name: '-x'}]}, 'devices[0].name "-x" is not the name of a device'],
    [{devices: [{name: 'a'}, {name: 'a'}]}, 'two devices have the name "a"'],
    [{devices: 'a'}, 'devices is not a list'],
    [{containerEdits: {env: ['A']}}, 'containerEdits.env: "A" is not of the form NAME=VALUE'],
    [
      {containerEdits: {deviceNodes: [{path: 'dev/x'}]}},
      'containerEdits.deviceNodes[0].path: "dev/x" is not an absolute path',
    ],
    [{containerEdits: {deviceNodes: [{path: '/dev/x', type: 'z'}]}}, 'unknown type "z"'],
    [{containerEdits: {deviceNodes: [{path: '/dev/x', permissions: 'rx'}]}}, '"rx" is not of r, w and m'],
    [
      {containerEdits: {deviceNodes: [{path: '/dev/x', major: -1}]}},
      'containerEdits.deviceNodes[0].major is not a whole number',
    ],
    [{containerEdits: {mounts: [{containerPath: '/x'}]}}, 'containerEdits.mounts[0].hostPath is not a text'],
  ])('are faulty: %j', (change, message) => {
    expect(() => parseCdiSpec({...spec('v.example/c', 'one'), ...change})).toThrow(message);
  });

  test.each([
    ['hooks', {hooks: [{hookName: 'poststop', path: '/bin/true'}]}],
    ['netDevices', {netDevices: [{hostInterfaceName: 'eth1', name: 'eth1'}]}],
    ['intelRdt', {intelRdt: {closID: 'x'}}],
  ])('with %s are refused by name when their device is asked for', async (name, edits) => {
    const {devices} = await registryOf({'low/a.json': {...spec('v.example/c', 'one'), containerEdits: edits}});
    await expect(applyCdi(devices)).rejects.toMatchObject({
      kind: 'unsupported',
      message: `CDI device "v.example/c=one": this engine does not support its ${name}`,
    });
  });

  test('bring what all devices of a file need once, and before it', async () => {
    const edits = {
      env: ['ALL=1'],
      additionalGids: [7, 0],
      deviceNodes: [{path: '/dev/../dev/x', type: 'u', major: 9, minor: 1}],
    };
    const {devices} = await registryOf({'low/a.json': {...spec('v.example/c', 'one', 'two'), containerEdits: edits}});
    expect(await applyCdi(devices)).toMatchObject({
      environment: ['ALL=1', 'NAME=one', 'NAME=two'],
      groups: ['7'],
      nodes: [{target: '/dev/x', type: 'c', major: 9, minor: 1, mode: 0o666, uid: 0, gid: 0}],
      rules: ['c 9:1 rwm'],
    });
  });

  test.each([
    [{type: 'nfs'}, 'a mount of type "nfs"'],
    [{options: ['bind', 'idmap']}, 'a mount with the option "idmap"'],
  ])('with mounts that are not made are refused: %j', async (change, what) => {
    const mounts = [{hostPath: '/x', containerPath: '/x', ...change}];
    const {devices} = await registryOf({'low/a.json': {...spec('v.example/c', 'one'), containerEdits: {mounts}}});
    await expect(applyCdi(devices)).rejects.toMatchObject({
      message: `CDI mount at "/x": this engine does not support ${what}`,
    });
  });
});

describe('GPUs', () => {
  const names = async (request: DeviceRequestBody, ...specs: readonly object[]): Promise<readonly string[]> => {
    const files = specs.map((content, index) => [`low/${index}.json`, content] as const);
    return [...requestedDevices([request], await registryOf(Object.fromEntries(files))).keys()];
  };
  const nvidia = spec('nvidia.com/gpu', 'all', '10', '2', '0', 'GPU-aa', 'GPU-bb');
  const amd = spec('amd.com/gpu', 'card-b', 'card-a');
  const gpu = (body: DeviceRequestBody): DeviceRequestBody => ({Capabilities: [['gpu', 'utility']], ...body});

  test('are those of the driver that is asked for, else of the first that there is', async () => {
    expect(await names(gpu({Count: -1}), amd, nvidia)).toEqual(['nvidia.com/gpu=all']);
    expect(await names(gpu({Driver: 'amd', Count: -1}), amd, nvidia)).toEqual([
      'amd.com/gpu=card-b',
      'amd.com/gpu=card-a',
    ]);
  });

  test('may be of a maker that nobody knows', async () => {
    expect(await names(gpu({Count: -1}), spec('maker.example/gpu', 'x'))).toEqual(['maker.example/gpu=x']);
  });

  test('are counted by their numbers, where they have some', async () => {
    expect(await names(gpu({Count: 2}), nvidia)).toEqual(['nvidia.com/gpu=0', 'nvidia.com/gpu=2']);
    expect(await names(gpu({Count: 1}), amd)).toEqual(['amd.com/gpu=card-b']);
    expect(await names(gpu({Count: 0}), amd)).toEqual([]);
  });

  test('are found by name', async () => {
    expect(await names(gpu({DeviceIDs: ['GPU-bb', '2']}), nvidia)).toEqual([
      'nvidia.com/gpu=GPU-bb',
      'nvidia.com/gpu=2',
    ]);
  });

  test.each([
    [gpu({Driver: 'nvidia', Count: -1}), 'could not select device driver "nvidia" with capabilities: [[gpu utility]]'],
    [gpu({Count: 3}), 'could not select device driver "" with capabilities: [[gpu utility]]'],
    [gpu({DeviceIDs: ['none']}), 'unresolvable CDI devices amd.com/gpu=none'],
    [gpu({Count: 1, DeviceIDs: ['card-a']}), 'cannot set both Count and DeviceIDs on device request'],
    [gpu({Count: 1, Options: {mode: 'fast'}}), 'the option "mode" of a device request'],
    [{Count: -1, Capabilities: [['gpu', 'abacus']]}, 'could not select device driver'],
    [{Count: -1}, 'could not select device driver "" with capabilities: []'],
  ])('that are not there are refused: %j', async (request, message) => {
    await expect(names(request, amd)).rejects.toThrow(message);
  });

  test('are refused with the reason', async () => {
    await expect(names(gpu({Count: -1}), {...nvidia, cdiVersion: '9'})).rejects.toMatchObject({
      kind: 'unsupported',
      hint: expect.stringContaining('0.json: unknown cdiVersion "9"'),
    });
  });
});
