import {execFileSync, spawn} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {
  callMonitor,
  connectControl,
  openFrames,
  readUntilClosed,
  watchMonitor,
} from '../../src/engine/helper/control.ts';
import {encodeFrame, frameTypes} from '../../src/engine/helper/frames.ts';
import {encodeHeader, encodeOperations} from '../../src/engine/helper/operations.ts';
import {
  type Container,
  eventually,
  type LaunchMachine,
  openLaunchMachine,
  runToEnd,
  type State,
} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});
afterAll(async () => {
  await machine.close();
});

/** Ends at SIGTERM, which a process 1 without a handler never sees. */
const patient = ['sh', '-c', 'trap "exit 143" TERM; while :; do sleep 0.05; done'];
const shell = (script: string) => ['sh', '-c', script];
const text = (payload: Uint8Array) => Buffer.from(payload).toString();

async function attach(
  container: Container,
  options: {readonly stdin?: boolean; readonly stdout?: boolean; readonly stderr?: boolean} = {},
) {
  return await openFrames(container.paths.control, {
    kind: 'attach',
    stdin: options.stdin ?? false,
    stdout: options.stdout ?? true,
    stderr: options.stderr ?? true,
  });
}

interface Received {
  stdout: string;
  stderr: string;
  exitCode: number | undefined;
}

async function receive(connection: Awaited<ReturnType<typeof attach>>): Promise<Received> {
  const received: Received = {stdout: '', stderr: '', exitCode: undefined};
  for await (const {type, payload} of connection.frames) {
    if (type === frameTypes.stdout) received.stdout += text(payload);
    if (type === frameTypes.stderr) received.stderr += text(payload);
    if (type === frameTypes.exit) received.exitCode = (JSON.parse(text(payload)) as {exitCode: number}).exitCode;
  }
  return received;
}

describe('log', () => {
  test('escapes as Docker does', async () => {
    const container = machine.container({
      words: [
        'printf',
        'a\\tb\\r\\033<&>"\\\\ \\177 \\377 \\342\\200\\250 \\360\\237\\230\\200 \\001 \\010 \\014 \\355\\240\\200x\\nend',
      ],
    });
    await container.launch();
    await container.ended();
    const [first, second] = readFileSync(container.paths.log, 'utf8').split('\n');
    // Recorded from Docker 28.5.2.
    expect(first?.replace(/"time":.*/, '')).toBe(
      '{"log":"a\\u0009b\\r\\u001b\\u003c\\u0026\\u003e\\"\\\\ \u007f \\ufffd \\u2028 😀 \\u0001 \\u0008 \\u000c \\ufffd\\ufffd\\ufffdx\\n","stream":"stdout",',
    );
    expect(second).toMatch(/^\{"log":"end","stream":"stdout","time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"\}$/);
  });

  test('splits long lines; only the last part ends in a line feed, all have the time of the first', async () => {
    const container = machine.container({
      words: shell(
        'head -c 40000 /dev/zero | tr "\\0" x 2>/dev/null || head -c 40000 /dev/zero | sed "s/\\x00/x/g"; echo; echo short',
      ),
    });
    await container.launch();
    await container.ended();
    const lines = container.log();
    expect(lines.map(({log}) => log.length)).toEqual([16384, 16384, 7233, 6]);
    expect(new Set(lines.slice(0, 3).map(({time}) => time)).size).toBe(1);
  });

  test('a line of exactly the limit is one part and an empty rest', async () => {
    const container = machine.container({words: shell('printf "%016384d\\n" 0')});
    await container.launch();
    await container.ended();
    expect(container.log().map(({log}) => log.length)).toEqual([16384, 1]);
  });

  test('is rotated by rename, the oldest goes', async () => {
    const container = machine.container({
      words: shell('i=0; while [ $i -lt 300 ]; do echo line-$i; i=$((i+1)); done'),
      log: {maxBytes: 2000, maxFiles: 3},
    });
    await container.launch();
    await container.ended();
    const files = readdirSync(container.directory)
      .filter((name) => name.startsWith('json.log'))
      .sort();
    expect(files).toEqual(['json.log', 'json.log.1', 'json.log.2']);
    const lines = [...files].reverse().flatMap((name) =>
      readFileSync(join(container.directory, name), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as {log: string}).log),
    );
    expect(lines.at(-1)).toBe('line-299\n');
    const first = Number(/\d+/.exec(lines[0] ?? '')?.[0]);
    expect(lines).toEqual(Array.from({length: 300 - first}, (_, index) => `line-${first + index}\n`));
    for (const name of files.slice(1))
      expect(statSync(join(container.directory, name)).size).toBeGreaterThanOrEqual(2000);
    for (const name of files) expect(statSync(join(container.directory, name)).size).toBeLessThan(2200);
  });

  test('with one file it starts anew', async () => {
    const container = machine.container({
      words: shell('i=0; while [ $i -lt 100 ]; do echo line-$i; i=$((i+1)); done'),
      log: {maxBytes: 2000, maxFiles: 1},
    });
    await container.launch();
    await container.ended();
    expect(readdirSync(container.directory).filter((name) => name.startsWith('json.log'))).toEqual(['json.log']);
    expect(container.log().at(-1)?.log).toBe('line-99\n');
  });

  test('nothing of a megabyte of output is lost', async () => {
    const container = machine.container({words: shell('seq 1 150000')});
    await container.launch();
    await container.ended(30_000);
    expect(container.text()).toBe(`${Array.from({length: 150_000}, (_, index) => index + 1).join('\n')}\n`);
  });

  test('a disk that hangs holds the container back, and does not keep it from being stopped', async () => {
    const container = machine.container({words: ['yes']});
    const pipe = join(container.directory, 'json.log');
    // A pipe that nobody reads blocks the writer as a hung disk does: first at its opening.
    execFileSync('mkfifo', [pipe]);
    const reader = connectReader(pipe);
    await container.launch();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const written = outputOf(container);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(outputOf(container)).toBe(written);
    expect((await callMonitor<State>(container.paths.control, {kind: 'state'})).status).toBe('running');
    await callMonitor(container.paths.control, {kind: 'kill', signal: 'KILL'});
    await eventually(
      async () => (await callMonitor<State>(container.paths.control, {kind: 'state'})).finishedAt !== '',
    );
    reader.kill();
    writeFileSync(join(container.directory, 'done'), '');
    await container.ended(40_000);
  });
});

/** Opens the pipe for reading without reading, in a process of its own. */
function connectReader(path: string) {
  return spawn('sh', ['-c', `exec sleep 60 < ${path}`], {stdio: 'ignore'});
}

/** Bytes the container's process has written so far. */
function outputOf(container: Container): string {
  const pid = container.state()?.pid ?? 0;
  return /wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? '';
}

describe('stop and kill', () => {
  test('the signal, then SIGKILL after the grace period', async () => {
    const container = machine.container({
      words: shell('trap "echo ignored" TERM; echo ready; while :; do sleep 0.1; done'),
    });
    await container.launch();
    await eventually(() => container.text().includes('ready'));
    const started = Date.now();
    await container.stop({graceMs: 700});
    expect(Date.now() - started).toBeGreaterThanOrEqual(700);
    // Answered when everything is over.
    expect(container.exit()).toMatchObject({status: 'exited', exitCode: 137, stoppedByUser: true});
    expect(existsSync(container.paths.control)).toBe(false);
    expect(container.text()).toBe('ready\nignored\n');
  });

  test('a process that ends at the signal ends the wait', async () => {
    const container = machine.container({words: shell('trap "exit 5" USR1; echo ready; while :; do sleep 0.05; done')});
    await container.launch();
    await eventually(() => container.text().includes('ready'));
    const started = Date.now();
    await container.stop({signal: 'SIGUSR1', graceMs: 20_000});
    expect(Date.now() - started).toBeLessThan(5000);
    expect(container.exit()).toMatchObject({exitCode: 5});
  });

  test('kill sends any signal and says so', async () => {
    const container = machine.container({
      words: shell('trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done'),
    });
    await container.launch();
    await eventually(() => container.text().includes('ready'));
    await callMonitor(container.paths.control, {kind: 'kill', signal: 'HUP'});
    await eventually(() => container.text().includes('hup'));
    await expect(callMonitor(container.paths.control, {kind: 'kill', signal: 'NONSENSE'})).rejects.toMatchObject({
      kind: 'invalid',
      message: 'kill: no such signal',
    });
    await callMonitor(container.paths.control, {kind: 'kill', signal: '9'});
    expect(await container.ended()).toMatchObject({exitCode: 137, stoppedByUser: true});
    const events = machine.events().filter(({id}) => id === container.id);
    expect(events.map(({action}) => action)).toEqual(['start', 'kill', 'kill', 'die']);
    expect(events[1]?.attributes).toEqual({name: 'test', signal: '1'});
    expect(events[3]?.attributes).toEqual({name: 'test', exitCode: '137'});
  });

  test('what the process left running goes with it', async () => {
    const container = machine.container({words: shell('sleep 1000 & sleep 1000 & echo $!; exit 0')});
    await container.launch();
    await container.ended();
    for (const cgroup of container.cgroups) expect(existsSync(cgroup)).toBe(false);
  });
});

describe('state', () => {
  test('is written at the start, told on request and at every change', async () => {
    const container = machine.container({words: patient});
    const {pid, monitor} = await container.launch();
    expect(container.state()).toMatchObject({status: 'running', pid, monitor, finishedAt: '', exitCode: 0});
    expect(container.state()?.startedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
    expect(await callMonitor<State>(container.paths.control, {kind: 'state'})).toEqual(container.state());
    const seen: State[] = [];
    const watching = (async () => {
      for await (const state of watchMonitor<State>(container.paths.control)) seen.push(state);
    })();
    await eventually(() => seen.length === 1);
    await container.stop();
    await watching;
    expect(seen.map(({status}) => status)).toEqual(['running', 'exited']);
    expect(seen[1]).toMatchObject({pid: 0, exitCode: 143, stoppedByUser: true});
  });

  test('hello', async () => {
    const container = machine.container({words: patient});
    await container.launch();
    expect(await callMonitor(container.paths.control, {kind: 'monitorHello'})).toEqual({
      version: 1,
      build: Buffer.from(await machine.helper.build()).toString('hex'),
      features: [],
    });
    await container.stop();
  });

  test('files and socket are for their owner alone', async () => {
    const container = machine.container({words: patient});
    await container.launch();
    for (const path of [container.paths.state, container.paths.control, container.paths.lock])
      expect((statSync(path).mode & 0o777).toString(8), path).toBe('600');
    await container.stop();
    expect((statSync(container.paths.exit).mode & 0o777).toString(8)).toBe('600');
  });
});

describe('attach', () => {
  test('several clients see the same, and the exit code at the end', async () => {
    const container = machine.container({
      words: shell('read x; echo out-$x; echo err-$x >&2; exit 7'),
      openStdin: true,
    });
    await container.launch();
    const first = await attach(container, {stdin: true});
    const second = await attach(container, {stderr: false});
    const both = Promise.all([receive(first), receive(second)]);
    await first.write(encodeFrame(frameTypes.stdin, Buffer.from('go\n')));
    expect(await both).toEqual([
      {stdout: 'out-go\n', stderr: 'err-go\n', exitCode: 7},
      {stdout: 'out-go\n', stderr: '', exitCode: 7},
    ]);
  });

  test('end of input reaches a process whose input is for one client', async () => {
    const container = machine.container({words: ['cat'], openStdin: true, stdinOnce: true});
    await container.launch();
    const client = await attach(container, {stdin: true});
    const received = receive(client);
    const data = Buffer.alloc(300_000, 'x');
    for (let at = 0; at < data.length; at += 50_000)
      await client.write(encodeFrame(frameTypes.stdin, data.subarray(at, at + 50_000)));
    await client.write(encodeFrame(frameTypes.endOfInput));
    const {stdout, exitCode} = await received;
    expect(stdout.length).toBe(data.length);
    expect(exitCode).toBe(0);
  });

  test('a lost client closes an input that was for it alone, and nothing else', async () => {
    const once = machine.container({words: shell('cat > /dev/null; echo over'), openStdin: true, stdinOnce: true});
    const open = machine.container({words: shell('cat > /dev/null; echo over'), openStdin: true});
    await once.launch();
    await open.launch();
    for (const container of [once, open]) (await attach(container, {stdin: true})).destroy();
    expect(await once.ended()).toMatchObject({exitCode: 0});
    expect(open.state()).toMatchObject({status: 'running'});
    await open.stop();
  });

  test('input that the process does not take any more is thrown away', async () => {
    const container = machine.container({words: shell('sleep 0.5; exec <&-; sleep 0.5; echo over'), openStdin: true});
    await container.launch();
    const client = await attach(container, {stdin: true});
    const received = receive(client);
    // More than pipe and connection hold: written to the end only where somebody goes on taking it.
    for (let i = 0; i < 40; i++) await client.write(encodeFrame(frameTypes.stdin, Buffer.alloc(50_000, 'x')));
    expect(container.state()).toMatchObject({status: 'running'});
    expect(await received).toMatchObject({stdout: 'over\n', exitCode: 0});
  });

  test('a slow reader is dropped, the container is not held back', async () => {
    const container = machine.container({
      words: shell('read go; head -c 20000000 /dev/zero'),
      log: false,
      openStdin: true,
    });
    await container.launch();
    const stuck = await connectControl(container.paths.control);
    stuck.pause();
    stuck.write(
      Buffer.concat([
        encodeHeader(new Uint8Array(16)),
        encodeOperations([{kind: 'attach', stdin: true, stdout: true, stderr: true}]),
        encodeFrame(frameTypes.stdin, Buffer.from('go\n')),
      ]),
    );
    expect(await container.ended()).toMatchObject({exitCode: 0});
    const received: Buffer[] = [];
    for await (const chunk of readUntilClosed(stuck)) received.push(Buffer.from(chunk));
    const bytes = Buffer.concat(received);
    expect(bytes.length).toBeLessThan(6_000_000);
    expect(bytes.toString('latin1')).not.toContain('exitCode');
  });

  test('a terminal: size, echo, control characters', async () => {
    const container = machine.container({
      words: shell('echo begin; while read x; do echo got-$x; stty size; done'),
      tty: true,
      openStdin: true,
    });
    await container.launch();
    const client = await attach(container, {stdin: true});
    const received = receive(client);
    await eventually(() => container.text().includes('begin'));
    await client.write(encodeFrame(frameTypes.resize, Buffer.from('40 120')));
    await client.write(encodeFrame(frameTypes.stdin, Buffer.from('a\n')));
    await eventually(() => container.text().includes('40 120'));
    await callMonitor(container.paths.control, {kind: 'resize', rows: 50, columns: 132});
    await client.write(encodeFrame(frameTypes.stdin, Buffer.from('b\n')));
    await eventually(() => container.text().includes('50 132'));
    await client.write(encodeFrame(frameTypes.stdin, Buffer.from('\u0004')));
    const {stdout, exitCode} = await received;
    expect(stdout).toContain('got-a\r\n40 120\r\n');
    expect(exitCode).toBe(0);
  });

  test('is refused between two runs and after the end', async () => {
    const container = machine.container({
      words: ['false'],
      monitor: [{kind: 'restart', policy: 'always', maxRetries: 0}],
    });
    await container.launch();
    await eventually(() => container.state()?.status === 'restarting');
    await eventually(() => (container.state()?.restartCount ?? 0) >= 2 && container.state()?.status === 'restarting');
    await expect(attach(container)).rejects.toMatchObject({
      kind: 'conflict',
      message: 'attach: the container is not running',
    });
    await container.stop();
  });
});

describe('control socket', () => {
  test('refuses what is no request, and stays', async () => {
    const container = machine.container({words: patient});
    await container.launch();
    for (const bytes of [
      'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
      `TSOP\u0001\u0000${'\0'.repeat(18)}\u0004\u0000\u0000\u0000\u00ff\u00ff\u0000\u0000`,
    ]) {
      const answer = await new Promise<string>((resolve) => {
        const socket = connect(container.paths.control);
        let received = '';
        socket.on('data', (chunk) => {
          received += String(chunk);
        });
        socket.on('close', () => resolve(received));
        socket.write(Buffer.from(bytes, 'latin1'));
      });
      expect(JSON.parse(answer)).toMatchObject({error: {kind: 'invalid'}});
    }
    expect(await callMonitor<State>(container.paths.control, {kind: 'state'})).toMatchObject({status: 'running'});
    await container.stop();
  });

  test('is for the same user and root only', async () => {
    const container = machine.container({words: patient});
    await container.launch();
    execFileSync('chmod', ['-R', 'a+rwX', machine.directory]);
    const script =
      'const s=require("net").connect(process.argv[1]);s.on("close",()=>{console.log("closed");process.exit()});s.on("error",(e)=>console.log(e.code))';
    const output = execFileSync(
      'setpriv',
      ['--reuid=65534', '--clear-groups', process.execPath, '-e', script, container.paths.control],
      {encoding: 'utf8', timeout: 10_000},
    );
    expect(output).toContain('closed');
    await container.stop();
  });
});

test('events are whole lines with boot, time and sequence', async () => {
  const container = machine.container({words: ['true']});
  await container.launch();
  await container.ended();
  const lines = readFileSync(machine.journal, 'utf8')
    .split('\n')
    .filter((line) => line.includes(container.id))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({action}) => action)).toEqual(['start', 'die']);
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  for (const line of lines) expect(line).toMatchObject({v: 1, boot, type: 'container', id: container.id});
  expect(Math.abs(Number(lines[0]?.['time']) / 1e6 - Date.now())).toBeLessThan(60_000);
});

test('files named for cleaning up are gone', async () => {
  const lease = join(machine.directory, 'lease');
  writeFileSync(lease, '');
  await runToEnd(machine, {
    words: ['true'],
    monitor: [
      {kind: 'cleanup', path: lease},
      {kind: 'cleanup', path: '/no/such/file'},
    ],
  });
  expect(existsSync(lease)).toBe(false);
});

describe('a monitor that is killed', () => {
  test.each([false, true])(
    'takes its container along (init %s), and the next launch finds everything free',
    async (init) => {
      const container = machine.container({
        words: shell('sleep 1000 & sleep 1000 & wait'),
        monitor: init ? [{kind: 'init'}] : [],
      });
      const {pid, monitor} = await container.launch();
      const inside = readFileSync(`${container.cgroups[0]}/cgroup.procs`, 'utf8').trim().split('\n').map(Number);
      expect(inside).toContain(pid);
      process.kill(monitor, 'SIGKILL');
      await eventually(() => inside.every((process) => !isAlive(process)));
      await eventually(async () => {
        const lock = await machine.helper.tryLock(container.paths.lock);
        await lock?.[Symbol.asyncDispose]();
        return lock !== undefined;
      });
      const again = await container.launch();
      expect(again.monitor).not.toBe(monitor);
      expect(container.state()).toMatchObject({status: 'running', pid: again.pid});
      await container.stop({graceMs: 0});
      for (const cgroup of container.cgroups) expect(existsSync(cgroup)).toBe(false);
    },
  );

  test('takes along a first process that has changed its user, and its own helpers', async () => {
    // As gosu does: the change takes the parent-death signal away.
    const container = machine.container({
      words: ['setpriv', 'sleep', '1000'],
      lowers: [join(machine.directory, 'image-setpriv'), machine.rootfs],
    });
    mkdirSync(join(machine.directory, 'image-setpriv/bin'), {recursive: true});
    const source = join(machine.directory, 'setpriv.c');
    writeFileSync(
      source,
      '#include <unistd.h>\nint main(int c, char **v) { return c > 1 && setgid(1001) == 0 && setuid(1000) == 0 ? execvp(v[1], v + 1) : 1; }\n',
    );
    execFileSync('cc', ['-static', '-o', join(machine.directory, 'image-setpriv/bin/setpriv'), source]);
    const {pid, monitor} = await container.launch();
    await eventually(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    const family = children(monitor);
    expect(family).toHaveLength(2);
    process.kill(monitor, 'SIGKILL');
    await eventually(() => family.every((process) => !isAlive(process)));
    await container.launch();
    await container.stop({graceMs: 0});
  });

  test('keeps what was written to the log', async () => {
    const container = machine.container({words: shell('seq 1 20000; echo end; sleep 1000')});
    const {monitor} = await container.launch();
    await eventually(() => container.text().endsWith('end\n'));
    process.kill(monitor, 'SIGKILL');
    expect(container.text().split('\n')).toHaveLength(20_002);
    await container.launch();
    await container.stop({graceMs: 0});
  });

  test('asked to end by the machine, it stops the container and forgets no policy', async () => {
    const container = machine.container({
      words: shell('trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'),
      monitor: [{kind: 'restart', policy: 'always', maxRetries: 0}],
    });
    const {monitor} = await container.launch();
    await eventually(() => container.text().includes('ready'));
    process.kill(monitor, 'SIGTERM');
    expect(await container.ended()).toMatchObject({exitCode: 0, stoppedByUser: false, restartCount: 0});
  });
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('memory: monitor, network child and log writer together stay small', async () => {
  const container = machine.container({
    words: shell('echo hello; sleep 30'),
    monitor: [{kind: 'dns', address: '127.0.0.11:53'}],
  });
  const {monitor} = await container.launch();
  await eventually(() => container.text().includes('hello'));
  const family = [monitor, ...children(monitor)].filter((pid) => pid !== container.state()?.pid);
  expect(family).toHaveLength(3);
  const kilobytes = (field: string) =>
    family.reduce((total, pid) => {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return total + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(rollup)?.[1]);
    }, 0);
  // What was needed only for the start is given back a second later.
  await eventually(() => kilobytes('Rss') < 2048 && kilobytes('Pss') < 1024, 5000);
  await container.stop({graceMs: 0});
});

function children(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

test('an idle monitor does nothing', async () => {
  const container = machine.container({words: ['sleep', '30']});
  const {monitor} = await container.launch();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const switches = () =>
    Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(readFileSync(`/proc/${monitor}/status`, 'utf8'))?.[1]);
  const before = switches();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(switches() - before).toBeLessThanOrEqual(1);
  await container.stop({graceMs: 0});
});
