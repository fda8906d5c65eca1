// What the virtual machine runs before it starts again ("before" as its second argument), and when it has: containers of root and of an
// ordinary user come back as their restart policies say, by services of systemd.
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expectText, expectThat, holdsSoon} from './claims.ts';
import {
  cgroupOf,
  cgroups,
  engineCgroups,
  idOf,
  inScope,
  inSession,
  makeUser,
  read,
  userManager,
  writeStack,
} from './guest-user.ts';
import {outputOf} from './output.ts';

const [, phase] = process.argv.slice(2);
const directory = '/root/boot';
const asRoot = (...args: readonly string[]) =>
  outputOf(['env', '-C', directory, 'node', '/opt/tscompose/dist/cli.cjs', ...args]);
const left = () => [...engineCgroups(), ...readdirSync(cgroups).filter((name) => name.startsWith('tscompose'))];
const ofBoot = ['journalctl', '--boot', '--no-pager', '--output=cat'];
const states = () => asRoot('ps', '--all', '--format', '{{.Service}} {{.State}}').trim().split('\n').sort().join(', ');

if (phase === 'before') {
  makeUser();
  outputOf(['loginctl', 'enable-linger', 'guest']);
  mkdirSync(directory);
  writeFileSync(
    join(directory, 'compose.yaml'),
    `
x-service: &service {image: tscompose/host, network_mode: none, stop_signal: SIGKILL, command: [sleep, '100000']}
services:
  always: {<<: *service, restart: always}
  kept: {<<: *service, restart: unless-stopped}
  stopped: {<<: *service, restart: unless-stopped}
  once: {<<: *service}
  asked:
    <<: *service
    stop_signal: SIGTERM
    volumes: ['.:/told']
    command: [sh, -c, 'trap "echo asked > /told/end; exit" TERM; while :; do sleep 1 & wait; done']
`,
  );
  const up = asRoot('up', '-d');
  asRoot('stop', 'stopped');
  expectText('what runs', states(), 'always running, asked running, kept running, once running, stopped exited');
  expectThat('a service of the machine is installed', asRoot('service', 'install').startsWith('installed '), up);
  expectThat('it is enabled', asRoot('service', 'status').includes('enabled: enabled'), asRoot('service', 'status'));
  writeStack(`
name: given
services:
  limited:
    {image: tscompose/host, network_mode: none, restart: always, mem_limit: 64m, pids_limit: 20, cpus: 0.2, command: [sleep, '100000']}
`);
  const given = inScope('up', '-d');
  expectThat("a user's container runs", cgroupOf(idOf('limited')).startsWith(userManager), given);
  const installed = inSession('service', 'install', '--user');
  const status = inSession('service', 'status', '--user');
  expectThat('a service of the user is installed and enabled', status.includes('enabled: enabled'), installed + status);
} else {
  const journal = outputOf([...ofBoot, '--unit=tscompose.service']);
  const wanted = 'always running, asked exited, kept running, once exited, stopped exited';
  await holdsSoon(
    `what runs after the boot is "${wanted}"`,
    () => states() === wanted,
    () => states() + journal,
  );
  expectText('what a container wrote that was asked to end', read(join(directory, 'end')), 'asked');
  const id = idOf('limited');
  await holdsSoon(
    "a user's container runs again",
    () => cgroupOf(id).startsWith(userManager),
    () => inSession('ps', '--all') + outputOf([...ofBoot, '_UID=1000']),
  );
  const limited = cgroupOf(id);
  expectText('memory.max', read(join(limited, 'memory.max')), String(64 << 20));
  expectText('pids.max', read(join(limited, 'pids.max')), '20');
  expectText('cpu.max', read(join(limited, 'cpu.max')), '20000 100000');
  expectThat('the service of the user goes', inSession('service', 'uninstall', '--user').startsWith('removed '));
  expectThat('the service of the machine goes', asRoot('service', 'uninstall').startsWith('removed '));
  expectThat('and is not there', !existsSync('/etc/systemd/system/tscompose.service'));
  inSession('down');
  asRoot('down');
  await holdsSoon(
    'nothing is left',
    () => left().length === 0,
    () => left().join(),
  );
}
