import {execFileSync, spawn} from 'node:child_process';
import {readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {callMonitor} from '../../src/engine/helper/control.ts';
import {type Container, eventually, type LaunchMachine, openLaunchMachine, type State} from './launch-machine.ts';

let machine: LaunchMachine;

beforeAll(async () => {
  machine = await openLaunchMachine();
});

afterAll(async () => {
  await machine.close();
});

/** Ends at SIGTERM, which a process 1 without a handler never sees. */
const _patient = ['sh', '-c', 'trap "exit 143" TERM; while :; do sleep 0.05; done'];
const shell = (script: string) => ['sh', '-c', script];
const _text = (payload: Uint8Array) => Buffer.from(payload).toString();

/** Opens the pipe for reading without reading, in a process of its own. */
function connectReader(path: string) {
  return spawn('sh', ['-c', `exec sleep 60 < ${path}`], {stdio: 'ignore'});
}

/** Bytes the container's process has written so far. */
function outputOf(container: Container): string {
  const pid = container.state()?.pid ?? 0;
  return /wchar: (\d+)/.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? '';
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

  test('has nothing that is older than the start of its run', async () => {
    const begun = async () => {
      const container = machine.container({words: shell('echo at once; exec sleep 1000')});
      await container.launch();
      await eventually(() => container.log().length === 1);
      // The record goes with the run.
      const startedAt = container.state()?.startedAt ?? 'not known';
      await container.stop({graceMs: 0});
      return {startedAt, wroteAt: container.log()[0]?.time ?? ''};
    };
    // Both to the nanosecond, in one form.
    for (const {startedAt, wroteAt} of await Promise.all(Array.from({length: 10}, begun)))
      expect([startedAt, wroteAt]).toEqual([startedAt, wroteAt].sort());
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
    await eventually(async () => {
      const written = outputOf(container);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return Number(written) > 0 && outputOf(container) === written;
    });
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
