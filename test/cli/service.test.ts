import {chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import {installUnit, type SystemdUnit, uninstallUnit, unitStatus} from '../../src/cli/service/systemd.ts';
import {unitText} from '../../src/cli/service/unit.ts';

let directory: string;
let unit: SystemdUnit;

/** Stands for systemctl: notes what it is asked, and fails at what the file `fails` names. */
const systemctl = `#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>asked
if grep -qxF -- "$*" fails 2>/dev/null; then echo "Failed: no such luck" >&2; exit 1; fi
case "$*" in *is-enabled*) echo enabled ;; *is-active*) echo inactive; exit 3 ;; esac
`;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tscompose-service-'));
  writeFileSync(join(directory, 'systemctl'), systemctl);
  chmodSync(join(directory, 'systemctl'), 0o755);
  mkdirSync(join(directory, 'booted'));
  unit = {
    name: 'tscompose.service',
    directory: join(directory, 'units/deep'),
    user: false,
    bootedMark: join(directory, 'booted'),
    env: {PATH: `${directory}:${process.env['PATH'] ?? ''}`},
  };
});
afterEach(() => rmSync(directory, {recursive: true}));

const asked = () => readFileSync(join(directory, 'asked'), 'utf8').trim().split('\n');
const units = () =>
  Object.fromEntries(
    readdirSync(unit.directory).map((name) => [name, readFileSync(join(unit.directory, name), 'utf8')]),
  );

test('a unit is written and enabled, again without harm, and taken away', async () => {
  await installUnit(unit, 'one');
  await installUnit(unit, 'two');
  expect(units()).toEqual({'tscompose.service': 'two'});
  expect(asked()).toEqual(Array(2).fill(['daemon-reload', 'enable tscompose.service']).flat());
  expect(await unitStatus(unit)).toEqual({
    path: join(unit.directory, unit.name),
    text: 'two',
    enabled: 'enabled',
    active: 'inactive',
  });
  expect(await uninstallUnit(unit)).toBe(true);
  expect(units()).toEqual({});
  expect(asked().slice(-2)).toEqual(['disable tscompose.service', 'daemon-reload']);
  expect(await uninstallUnit(unit)).toBe(false);
  expect((await unitStatus(unit)).text).toBeUndefined();
});

test.each(['daemon-reload', 'enable tscompose.service'])('where "%s" fails, all is as before', async (step) => {
  writeFileSync(join(directory, 'fails'), `${step}\n`);
  const failure = {kind: 'unavailable', message: `systemctl ${step}: Failed: no such luck`};
  await expect(installUnit(unit, 'new')).rejects.toMatchObject(failure);
  expect(units()).toEqual({});
  rmSync(join(directory, 'fails'));
  await installUnit(unit, 'old');
  writeFileSync(join(directory, 'fails'), `${step}\n`);
  await expect(installUnit(unit, 'new')).rejects.toMatchObject(failure);
  expect(units()).toEqual({'tscompose.service': 'old'});
});

test('of a user it is asked for as such', async () => {
  await installUnit({...unit, user: true}, 'one');
  expect(asked()).toEqual(['--user daemon-reload', '--user enable tscompose.service']);
});

test('without systemd nothing is written, and what is there can be taken away', async () => {
  const without = {...unit, bootedMark: join(directory, 'nowhere')};
  await expect(installUnit(without, 'one')).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'cannot install the service: systemd does not run on this machine',
  });
  mkdirSync(unit.directory, {recursive: true});
  expect(units()).toEqual({});
  writeFileSync(join(unit.directory, unit.name), 'left');
  expect(await unitStatus(without)).toEqual({path: join(unit.directory, unit.name), text: 'left'});
  expect(await uninstallUnit(without)).toBe(true);
  expect(units()).toEqual({});
});

test('the unit runs once at boot and leaves what it started alone', () => {
  const text = unitText({
    node: '/usr/bin/node',
    program: '/opt/ts compose/cli.cjs',
    environment: {TSCOMPOSE_ROOT: '/srv/50%"$x\\y'},
    user: false,
  });
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      'Type=oneshot',
      'RemainAfterExit=yes',
      'KillMode=process',
      'Environment="TSCOMPOSE_ROOT=/srv/50%%\\"$x\\\\y"',
      'ExecStart=/usr/bin/node "/opt/ts compose/cli.cjs" service boot',
      'WantedBy=multi-user.target',
    ]),
  );
});

test('no path says anything to systemd but itself', () => {
  const hostile = "/a ;|&'`#$HOME ${HOME} %h \\ [Install]";
  const text = unitText({
    node: `${hostile}/node`,
    program: hostile,
    environment: {TSCOMPOSE_ROOT: hostile},
    user: false,
  });
  const word = (dollar: string) => `/a ;|&'\`#${dollar}HOME ${dollar}{HOME} %%h \\\\ [Install]`;
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      `Environment="TSCOMPOSE_ROOT=${word('$')}"`,
      `ExecStart="${word('$')}/node" "${word('$$')}" service boot`,
    ]),
  );
});

test.each(['\n', '\r', '\t', '\u0001', '\u007f'])(
  'a path with %j is refused, it would be a line of its own',
  (character) => {
    const path = `/a${character}ExecStartPre=/evil`;
    const good = {node: '/n', program: '/p', environment: {}, user: false};
    const refusal = `cannot name ${JSON.stringify(path)} in a unit: it has control characters`;
    expect(() => unitText({...good, node: path})).toThrow(refusal);
    expect(() => unitText({...good, program: path})).toThrow(refusal);
    expect(() => unitText({...good, environment: {TSCOMPOSE_ROOT: path}})).toThrow(
      / in a unit: it has control characters/,
    );
  },
);

test('a unit of an ordinary user waits for nothing of the machine', () => {
  const user = unitText({node: '/usr/bin/node', program: '/p', environment: {}, user: true});
  expect(user).toContain('WantedBy=default.target');
  expect(user).not.toContain('network-online');
});
