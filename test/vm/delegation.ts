// What the virtual machine runs to see the cgroups that systemd gives to an ordinary user: limits hold in them.
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {HostConfig} from '../../src/api/types/container.ts';
import {expectText, expectThat, holdsSoon} from './claims.ts';
import {
  cgroupOf,
  cgroups,
  engineCgroups,
  home,
  idOf,
  inScope,
  inSession,
  makeUser,
  read,
  run,
  serviceWords,
  sessionWords,
  userManager,
  writeStack,
} from './guest-user.ts';
import {outputOf} from './output.ts';

makeUser();

function stack(busy: string, others = ''): void {
  writeStack(`
name: given
x-service: &service {image: tscompose/host, network_mode: none}
services:
  busy: {<<: *service, command: [sh, -c, 'while :; do :; done'], stop_signal: SIGKILL, ${busy}}
${others}`);
}

/** By the API, since the command line makes a new container for another limit; answers what it says. */
async function updateFromElsewhere(id: string, body: HostConfig): Promise<string> {
  const [program = '', ...args] = sessionWords('engine', 'serve');
  const engine = spawn(program, args, {stdio: 'ignore'});
  const ended = once(engine, 'exit');
  const socket = join(run, 'tscompose/engine.sock');
  const words = [...['--retry', '20', '--retry-all-errors', '--retry-delay', '2'], ...['--unix-socket', socket]];
  const json = ['--header', 'content-type: application/json', '--data', JSON.stringify(body)];
  const answer = outputOf(['curl', '-sS', ...words, ...json, `http://engine/v1.47/containers/${id}/update`]);
  engine.kill('SIGTERM');
  await ended;
  return answer;
}

const limits = 'mem_limit: 64m, memswap_limit: 80m, pids_limit: 20, cpus: 0.2';
stack(
  limits,
  `  hungry: {<<: *service, command: [tail, /dev/zero], mem_limit: 16m}
  many: {<<: *service, command: [sh, -c, 'for each in 1 2 3 4 5 6 7 8; do sleep 1000 & done'], pids_limit: 4}
`,
);
const refused = inSession('up', '-d');
expectThat(
  'without cgroups of its own a limit is refused by name',
  refused.includes('cannot set HostConfig.Memory: this user was given no cgroup controller "memory"'),
  refused,
);
const told = inSession('doctor');
expectThat(
  'doctor says so',
  /no limits for cpu, memory, pids: this session was given no such controller/.test(told),
  told,
);

const up = inScope('up', '-d');
const busy = cgroupOf(idOf('busy'));
expectThat('its containers are below what it was given', busy.startsWith(userManager), `${busy} ${up}`);
const given = read(join(userManager, 'cgroup.controllers'));
expectText('what was given', given, 'cpu memory pids');
const ok = inScope('doctor');
expectThat('doctor names it', ok.includes(`version 2: ${given}`), ok);
expectText('memory.max', read(join(busy, 'memory.max')), String(64 << 20));
expectText('memory.swap.max', read(join(busy, 'memory.swap.max')), String(16 << 20));
expectText('pids.max', read(join(busy, 'pids.max')), '20');
expectText('cpu.max', read(join(busy, 'cpu.max')), '20000 100000');
await holdsSoon(
  'processor time is held back',
  () => /^nr_throttled [1-9]/m.test(read(join(busy, 'cpu.stat'))),
  () => read(join(busy, 'cpu.stat')),
);
const ended = (service: string) => join(home, '.local/share/tscompose/containers', idOf(service), 'exit.json');
const hungry = ended('hungry');
await holdsSoon(
  'what wants more memory than it may have is killed',
  () => /"exitCode":137,"oomKilled":true/.test(read(hungry)),
  () => read(hungry),
);
const many = ended('many');
await holdsSoon(
  'what wants more processes than it may have gets none',
  () => /"exitCode":2\b/.test(read(many)) && inSession('logs', 'many').includes('Cannot fork'),
  () => read(many) + inSession('logs', 'many'),
);

stack('cpuset: "0"');
const cpuset = inScope('up', '-d');
expectThat(
  'a controller that was not given is refused by name',
  cpuset.includes('cannot set HostConfig.CpusetCpus: this user was given no cgroup controller "cpuset"'),
  cpuset,
);
stack('blkio_config: {device_read_bps: [{path: /dev/vda, rate: 1m}]}');
const io = inScope('up', '-d');
expectThat(
  'another one too',
  io.includes('cannot set HostConfig.BlkioDeviceReadBps: this user was given no cgroup controller "io"'),
  io,
);

// A command from another session finds them.
stack(limits);
const stats = inSession('stats', '--no-stream', '--format', '{{.PIDs}} {{.MemUsage}}', 'busy');
expectThat('stats from elsewhere knows the limit', /^1 .*\/ 64MiB/.test(stats), stats);
expectThat('top from elsewhere too', inSession('top', 'busy').includes('while'), inSession('top', 'busy'));
inSession('pause', 'busy');
expectText('cgroup.freeze', read(join(busy, 'cgroup.freeze')), '1');
inSession('unpause', 'busy');
expectText('cgroup.freeze', read(join(busy, 'cgroup.freeze')), '0');
const changed = await updateFromElsewhere(idOf('busy'), {PidsLimit: 30});
expectThat('a limit is changed from elsewhere', read(join(busy, 'pids.max')) === '30', changed);
const notGiven = await updateFromElsewhere(idOf('busy'), {CpusetCpus: '0'});
expectThat(
  'one that was not given is refused by name there too',
  notGiven.includes('cannot set HostConfig.CpusetCpus: this user was given no cgroup controller \\"cpuset\\"'),
  notGiven,
);
const restart = inSession('restart', 'busy');
expectThat(
  'a session without cgroups does not stop what it could not start again',
  restart.includes('this user was given no cgroup controller "memory"') && read(join(busy, 'cgroup.procs')) !== '',
  restart,
);
const monitor = Number(
  /"monitor":(\d+)/.exec(read(join(run, 'tscompose/containers', idOf('busy'), 'state.json')))?.[1],
);
process.kill(monitor, 'SIGKILL');
inSession('ps');
expectThat('what a killed monitor left is found from elsewhere', !existsSync(busy), busy);
inSession('down', '--remove-orphans');
expectThat(
  'nothing is left for the user',
  engineCgroups().length === 0 && !existsSync(join(run, 'tscompose/cgroups')),
  engineCgroups().join(),
);

// And the other way round: what has no cgroup is found from where there are some.
const left = inSession('up', '-d', '--allow-missing-limits');
expectThat(
  'it is told which limits are left out',
  left.includes('the container runs without HostConfig.PidsLimit'),
  left,
);
const counted = inScope('stats', '--no-stream', '--format', '{{.PIDs}} {{.MemUsage}}', 'busy');
expectThat('stats of one without cgroups', /^1 [1-9]/.test(counted), counted);
inSession('down');

// A service of the machine's, whose first process is at the top of what it is given.
const [program = '', ...words] = serviceWords('given', 'up');
const service = spawn(program, words);
let said = '';
for (const stream of [service.stdout, service.stderr])
  stream.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
const ofService = join(cgroups, 'system.slice/given.service');
await holdsSoon(
  'a service starts its containers below what it was given',
  () => cgroupOf(idOf('busy')).startsWith(ofService),
  () => said,
);
const served = cgroupOf(idOf('busy'));
expectText('memory.max', read(join(served, 'memory.max')), String(64 << 20));
expectText('pids.max', read(join(served, 'pids.max')), '20');
expectText('cpu.max', read(join(served, 'cpu.max')), '20000 100000');
const down = inSession('down');
await holdsSoon(
  'nothing is left',
  () => engineCgroups().length === 0 && !existsSync(ofService),
  () => engineCgroups().join() + down + said,
);
