import {readFileSync} from 'node:fs';
import {eventually} from '../../support/host.ts';
import {type Cases, containerOf, type Step} from '../case.ts';
import {
  ask,
  type Body,
  changes,
  create,
  exec,
  facts,
  line,
  pause,
  run,
  running,
  start,
  stats,
  top,
  until,
  waits,
} from '../steps.ts';

/** What a command sees that is run beside the container's own. */
const sees = (sections: string, body: Parameters<typeof exec>[0] = {}) =>
  exec({Cmd: ['env', `FACTS=${sections}`, 'sh', '/facts'], ...body});

const commands: Cases = {
  'its output': [running(), exec({Cmd: ['sh', '-c', 'echo out; echo err >&2; printf end']})],
  'its exit code': [running(), exec({Cmd: ['sh', '-c', 'exit 7']})],
  'the end by a signal': [running(), exec({Cmd: ['sh', '-c', 'kill -9 $$']})],
  'its input': [running(), exec({Cmd: ['cat'], AttachStdin: true}, {input: 'one\ntwo\n'})],
  'only its errors': [running(), exec({Cmd: ['sh', '-c', 'echo out; echo err >&2'], AttachStdout: false})],
  'a user by name': [running(), sees('status', {User: 'nobody'})],
  'a user by number and group': [running(), sees('status', {User: '1000:50'})],
  'the user of the container': [running({User: '1000:1001', HostConfig: {GroupAdd: ['50']}}), sees('status')],
  'another user than that of the container': [running({User: '1000'}), sees('status', {User: 'root'})],
  'a user that is not there': [running(), exec({Cmd: ['true'], User: 'stranger'})],
  variables: [running({Env: ['A=container', 'B=container']}), sees('environment', {Env: ['A=exec', 'C=exec']})],
  'a directory': [running(), sees('directory', {WorkingDir: '/etc'})],
  'the directory of the container': [running({WorkingDir: '/var'}), sees('directory')],
  'a directory that is not there': [running(), exec({Cmd: ['pwd'], WorkingDir: '/missing'})],
  'a terminal': [running(), exec({Cmd: ['tty'], Tty: true})],
  'its process': [running(), sees('process')],
  'its limits': [running({HostConfig: {Ulimits: [{Name: 'nofile', Soft: 40, Hard: 50}]}}), sees('limits')],
  'its capabilities': [running({HostConfig: {CapDrop: ['ALL'], CapAdd: ['CHOWN']}}), sees('status')],
  'all rights': [running(), sees('status', {Privileged: true})],
  'all rights of a user': [running(), sees('status', {Privileged: true, User: 'nobody'})],
  'no new rights': [running({HostConfig: {SecurityOpt: ['no-new-privileges']}}), sees('status')],
  detached: [running(), exec({Cmd: ['sh', '-c', 'exit 6']}, {detached: true})],
  'a command that is not there': [running(), exec({Cmd: ['no-such-program']})],
  'a command that may not be executed': [running(), exec({Cmd: ['/etc/passwd']})],
  'no command': [running(), exec({Cmd: []})],
  'in a container that was only made': [create(), exec({Cmd: ['true']})],
  'in a container that has ended': [run({Cmd: ['true']}), exec({Cmd: ['true']})],
  'in a container that is paused': [running(), pause(), exec({Cmd: ['true']})],
  'started twice': [
    running(),
    ask('start twice', async ({containers}) => {
      const command = await containers.get('it')?.exec({Cmd: ['true'], AttachStdout: true});
      for await (const chunk of (await command?.start())?.output ?? []) void chunk;
      await command?.start();
    }),
  ],
  'sees the files of the container': [
    running({Cmd: ['sh', '-c', 'trap "exit 5" TERM; echo x >/tmp/file; echo ready; sleep 1000 & wait']}),
    exec({Cmd: ['cat', '/tmp/file']}),
  ],
  'a limit of memory that is the container’s': [
    running({HostConfig: {Memory: 64 * 2 ** 20}}),
    exec({Cmd: ['sh', '-c', 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null']}),
  ],
};

/** It says that it is ready a moment before it starts the program that it waits for: a list of processes has both. */
const ready: Step = {
  ...until('ready'),
  async run(world) {
    const said = await until('ready').run(world);
    const {Pid} = (await containerOf(world, 'it').inspect()).State;
    // An engine elsewhere has other numbers.
    if (commandOf(Pid) !== `${waits.join('\0')}\0`) return said;
    await eventually(() => {
      const children = readFileSync(`/proc/${Pid}/task/${Pid}/children`, 'utf8').split(' ').filter(Boolean);
      const commands = children.map(commandOf);
      if (commands.join() !== 'sleep\x001000\0') throw new Error(`it has started ${JSON.stringify(commands)}`);
    });
    return said;
  },
};
const busy = (body: Body = {}) => [create({Cmd: waits, ...body}), start(), ready];

function commandOf(pid: number | string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

const looks: Cases = {
  'processes unless stated': [busy(), top(undefined, ['UID', 'TTY', 'CMD'])],
  'processes with columns': [busy(), top('-o pid,user,args', ['USER', 'COMMAND'])],
  'processes of a user': [busy({User: '1000'}), top('-ef', ['UID', 'CMD'])],
  'processes with arguments that there are not': [busy(), top('--no-such')],
  'processes without their numbers': [busy(), top('-o user,args')],
  'processes of a container that was only made': [create(), top()],
  'processes of a container that is paused': [busy(), pause(), top(undefined, ['UID', 'CMD'])],
  'usage of a container': [running(), stats()],
  'usage of a container that was only made': [create(), stats()],
  'usage of a container that has ended': [run({Cmd: ['true']}), stats()],
  'usage with a limit': [running({HostConfig: {Memory: 64 * 2 ** 20, PidsLimit: 9}}), stats()],
  'changes of a container that was only made': [create(), changes()],
  'changes of files': [
    line('echo x >/new; rm /etc/passwd; echo y >>/etc/group; mkdir -p /a/b; chmod 700 /tmp'),
    changes(),
  ],
  'changes beside what is mounted': [
    line('echo x >/own/new; echo x >/out', {HostConfig: {Tmpfs: {'/own': ''}}}),
    changes(),
  ],
  'changes of a working directory that was made': [run({Cmd: ['true'], WorkingDir: '/made/here'}), changes()],
  'the facts of a container with a terminal': [facts('tty process', {Tty: true, OpenStdin: true})],
};

export const execs: Cases = commands;
export const looksInside: Cases = looks;
