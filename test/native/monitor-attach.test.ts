import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {callMonitor, connectControl, openFrames, readUntilClosed} from '../../src/engine/helper/control.ts';
import {encodeFrame, frameTypes} from '../../src/engine/helper/frames.ts';
import {encodeHeader, encodeOperations} from '../../src/engine/helper/operations.ts';
import {type Container, eventually, type LaunchMachine, openLaunchMachine, type State} from './launch-machine.ts';

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
    const container = machine.container({
      words: shell('sleep 0.5; exec <&-; until test -e /tmp/written; do sleep 0.05; done; echo over'),
      openStdin: true,
    });
    await container.launch();
    const client = await attach(container, {stdin: true});
    const received = receive(client);
    // More than pipe and connection hold: written to the end only where somebody goes on taking it.
    for (let i = 0; i < 40; i++) await client.write(encodeFrame(frameTypes.stdin, Buffer.alloc(50_000, 'x')));
    expect(container.state()).toMatchObject({status: 'running'});
    writeFileSync(`/proc/${container.state()?.pid}/root/tmp/written`, '');
    expect(await received).toMatchObject({stdout: 'over\n', exitCode: 0});
  });

  /** A client that asks and reads nothing. */
  async function stuckClient(container: Container) {
    const stuck = await connectControl(container.paths.control);
    stuck.pause();
    stuck.write(
      Buffer.concat([
        encodeHeader(new Uint8Array(16)),
        encodeOperations([{kind: 'attach', stdin: true, stdout: true, stderr: true}]),
        encodeFrame(frameTypes.stdin, Buffer.from('go\n')),
      ]),
    );
    return stuck;
  }

  async function readRest(stuck: Awaited<ReturnType<typeof stuckClient>>): Promise<Buffer> {
    const received: Buffer[] = [];
    for await (const chunk of readUntilClosed(stuck)) received.push(Buffer.from(chunk));
    return Buffer.concat(received);
  }

  test('a slow reader holds the container back, and loses nothing', async () => {
    const container = machine.container({
      words: shell('read go; exec head -c 20000000 /dev/zero'),
      log: false,
      openStdin: true,
    });
    await container.launch();
    const stuck = await stuckClient(container);
    const pid = container.state()?.pid;
    await eventually(() => /pipe_w/.test(readFileSync(`/proc/${pid}/wchan`, 'utf8')));
    expect(container.state()).toMatchObject({status: 'running'});
    const bytes = await readRest(stuck);
    expect(bytes.length).toBeGreaterThan(20_000_000);
    expect(bytes.subarray(-100).toString('latin1')).toContain('{"exitCode":0}');
    expect(await container.ended()).toMatchObject({exitCode: 0});
  });

  test('a slow reader does not hold up the end of the container, and loses nothing', async () => {
    // More than a connection holds, less than what holds the container back.
    const container = machine.container({
      words: shell('read go; head -c 400000 /dev/zero'),
      log: false,
      openStdin: true,
    });
    await container.launch();
    const stuck = await stuckClient(container);
    expect(await container.ended()).toMatchObject({exitCode: 0});
    const bytes = await readRest(stuck);
    expect(bytes.length).toBeGreaterThan(400_000);
    expect(bytes.subarray(-100).toString('latin1')).toContain('{"exitCode":0}');
  });

  /** As soon as there is a monitor to ask. */
  async function attachEarly(container: Container, options: Parameters<typeof attach>[1]) {
    let connection: Awaited<ReturnType<typeof attach>> | undefined;
    await eventually(async () => {
      connection = await attach(container, options).catch(() => undefined);
      return connection !== undefined;
    });
    return connection as Awaited<ReturnType<typeof attach>>;
  }

  test('the first run waits for clients that are expected, who get everything', async () => {
    const container = machine.container({
      words: shell('echo first; cat'),
      openStdin: true,
      stdinOnce: true,
      monitor: [{kind: 'expectedClients', count: 2}],
    });
    const launched = container.launch();
    const early = attachEarly(container, {stdin: true});
    const [first, second] = await Promise.all([early, attachEarly(container, {})]);
    await first.write(encodeFrame(frameTypes.stdin, Buffer.from('typed\n')));
    await first.write(encodeFrame(frameTypes.endOfInput));
    const everything = {stdout: 'first\ntyped\n', stderr: '', exitCode: 0};
    expect(await Promise.all([receive(first), receive(second)])).toEqual([everything, everything]);
    await launched;
  });

  test('a client that is expected and does not come is given up', async () => {
    const container = machine.container({words: shell('exit 3'), monitor: [{kind: 'expectedClients', count: 1}]});
    await container.launch();
    expect(await container.ended()).toMatchObject({exitCode: 3});
  });

  test('a stop while clients are waited for is a start that was canceled', async () => {
    const container = machine.container({words: patient, monitor: [{kind: 'expectedClients', count: 1}]});
    const launched = container.launch().catch((error: unknown) => error);
    await eventually(() =>
      callMonitor(container.paths.control, {kind: 'stopContainer', signal: 'TERM', graceMs: 1000}).then(
        () => true,
        () => false,
      ),
    );
    expect(await launched).toMatchObject({kind: 'canceled'});
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
    // After the fifth run it waits 3.2 seconds.
    await eventually(() => (container.state()?.restartCount ?? 0) >= 5 && container.state()?.status === 'restarting');
    // Whoever comes too late for it meets another run, and tries again.
    const refusal = async () => {
      try {
        (await attach(container)).destroy();
      } catch (error) {
        return error;
      }
      return undefined;
    };
    await expect.poll(refusal).toMatchObject({kind: 'conflict', message: 'attach: the container is not running'});
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
    execFileSync('chmod', ['a+rwX', machine.directory, container.directory, container.paths.control]);
    const script =
      'const s=require("net").connect(process.argv[1]);s.on("close",()=>{console.log("closed");process.exit()});s.on("error",(e)=>console.log(e.code))';
    const output = execFileSync(
      'setpriv',
      ['--reuid=65534', '--clear-groups', process.execPath, '-e', script, container.paths.control],
      {encoding: 'utf8', timeout: 100_000},
    );
    expect(output).toContain('closed');
    await container.stop();
  });
});
