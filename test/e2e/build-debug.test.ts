import {mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {openTerminal} from '../support/terminal.ts';
import {loadImages} from '../support/test-images.ts';

const dockerfile = `FROM busybox
ARG WHAT=argued
ENV GREETING=hello
WORKDIR /srv
USER 1000
RUN --mount=type=secret,id=key,env=KEY --mount=type=cache,target=/c,uid=1000 --network=none echo half > /tmp/half; echo kept > /c/kept; exit 5
`;
const bare = 'FROM scratch\nCOPY --from=busybox /bin/busybox /only\nRUN ["/only", "nothing"]\n';

describe('a step that fails, held with a shell', () => {
  let host: TestHost;
  const containers = () => readdirSync(join(host.root, 'names')).filter((name) => name.startsWith('build-'));

  beforeAll(async () => {
    host = await makeHost();
    await loadImages(host, ['busybox']);
    for (const name of ['step', 'bare']) mkdirSync(join(host.directory, name));
    writeFileSync(join(host.directory, 'step', 'Dockerfile'), dockerfile);
    writeFileSync(join(host.directory, 'bare', 'Dockerfile'), bare);
    writeFileSync(join(host.directory, 'key'), 'hidden');
    writeFileSync(
      join(host.directory, 'compose.yaml'),
      'name: held\nservices:\n  web:\n    build: {context: step, secrets: [key]}\nsecrets:\n  key: {file: ./key}\n',
    );
  });

  afterAll(async () => {
    const left = host.leftovers();
    await host[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });

  test('has its files, variables, secrets, user, directory, mounts and network', async () => {
    await using terminal = openTerminal(host, {columns: 100, rows: 30});
    terminal.type('tscompose engine build --debug --secret id=key,src=key step; echo code $?\r');
    await terminal.shows('/bin/sh in what the step left; "exit" ends it, and the build');
    expect(terminal.screen()).toContain(' --> step/Dockerfile:6:1\n');
    await terminal.shows(/^\/srv \$ ?$/m);
    terminal.type(
      'clear; id -u; pwd; cat /tmp/half /c/kept; echo $GREETING $WHAT $KEY; ls /sys/class/net; stty size\r',
    );
    await terminal.shows(/^1000\n\/srv\nhalf\nkept\nhello argued hidden\nlo\n30 100$/m);
    terminal.resize(90, 25);
    // The new size is on its way.
    await eventually(() => {
      terminal.type('clear; stty size\r');
      expect(terminal.screen()).toMatch(/^25 90$/m);
    });
    expect(containers()).toEqual([expect.stringMatching(/^build-[0-9a-f]{12}-\d+$/), expect.stringMatching(/-shell$/)]);
    terminal.type('exit\r');
    await terminal.shows('code 1');
    expect(terminal.screen()).toMatch(/✘ \[3\/3\] RUN /);
    expect(terminal.screen().replaceAll('\n', '')).toMatch(/error: process "\/bin\/sh -c .*: exit code: 5code 1/);
    expect(containers()).toEqual([]);
  });

  test('without a terminal it is told how to open the shell, and a build that is killed leaves nothing for long', async () => {
    let stop = (_: NodeJS.Signals) => {};
    const onSpawn = (process: {kill(signal: NodeJS.Signals): void}) => {
      stop = (signal) => process.kill(signal);
    };
    const command = () => containers().find((name) => name.endsWith('-shell')) ?? '';
    let said = '';
    const building = host.tscompose(['build', '--debug', 'web'], {onSpawn, onStderr: (text) => (said += text)});
    // Its name is there before it runs.
    await eventually(() => expect(said).toContain('open the shell in a terminal'));
    expect(command()).toMatch(/^build-/);
    {
      await using terminal = openTerminal(host, {columns: 100, rows: 10});
      terminal.type(`tscompose engine debug ${command()}; echo code $?\r`);
      await terminal.shows(/^\/srv \$ ?$/m);
      terminal.type('cat /tmp/half; exit\r');
      await terminal.shows('code 0');
      expect(terminal.screen()).toContain('\nhalf\n');
    }
    const {code, stderr} = await building;
    expect(code).toBe(1);
    expect(stderr).toMatch(/open the shell in a terminal: tscompose engine debug build-[0-9a-f]{12}-\d+-shell\n/);

    const killed = host.tscompose(['build', '--debug', 'web'], {onSpawn});
    await eventually(() => expect(command()).toMatch(/^build-/));
    stop('SIGKILL');
    await killed;
    // Its helper ends a moment later, and with it the lock that says that the build is under way.
    await eventually(async () => {
      expect((await host.tscompose(['engine', 'build', '-q', '-'], {input: 'FROM busybox\n'})).code).toBe(0);
      expect(containers()).toEqual([]);
    });

    const canceled = host.tscompose(['build', '--debug', 'web'], {onSpawn});
    await eventually(() => expect(command()).toMatch(/^build-/));
    stop('SIGTERM');
    expect(await canceled).toMatchObject({code: 130});
    expect(containers()).toEqual([]);
  });

  test('a COPY or ADD that fails has the files, variables and directory that were there before it', async () => {
    mkdirSync(join(host.directory, 'copy'));
    const below = 'FROM busybox\nENV GREETING=hello\nWORKDIR /srv\nUSER 1000\nRUN echo below > /tmp/file\n';
    writeFileSync(join(host.directory, 'copy', 'Dockerfile'), `${below}COPY none /x\n`);
    writeFileSync(join(host.directory, 'copy', 'Owner'), `${below}ADD --chown=nowhere Owner /x\n`);
    for (const [file, reason, code] of [
      ['Dockerfile', /"none"/, 1],
      ['Owner', /nowhere/, 65],
    ] as const) {
      await using terminal = openTerminal(host, {columns: 120, rows: 40});
      terminal.type(`tscompose engine build --debug -f copy/${file} copy; echo code $?\r`);
      await terminal.shows('/bin/sh in what was there before the step; "exit" ends it, and the build');
      expect(terminal.screen()).toContain(` --> copy/${file}:6:1\n`);
      expect(terminal.screen()).toMatch(reason);
      await terminal.shows(/^\/srv # ?$/m);
      terminal.type('clear; id -u; pwd; cat /tmp/file; ls /x; echo $GREETING\r');
      await terminal.shows(/^0\n\/srv\nbelow\nls: \/x: No such file or directory\nhello$/m);
      terminal.type('exit\r');
      await terminal.shows(`code ${code}`);
      expect(containers()).toEqual([]);
    }
    writeFileSync(join(host.directory, 'copy', 'Nothing'), 'FROM scratch\nCOPY none /x\n');
    const {code, stderr} = await host.tscompose(['engine', 'build', '--debug', '-f', 'copy/Nothing', 'copy']);
    expect(code).toBe(1);
    expect(stderr).toContain('note: no shell can be started in the files of this step\n');
    expect(containers()).toEqual([]);
  });

  test('files without a shell are told of, and how to look at them', async () => {
    const {code, stderr} = await host.tscompose(['engine', 'build', '--debug', 'bare']);
    expect(code).toBe(1);
    expect(stderr).toContain('note: no shell can be started in the files of this step\n');
    expect(containers()).toEqual([]);
  });

  test('nothing is held in a job without a terminal; a failure says how to open a shell', async () => {
    const words = ['engine', 'build', '--debug', '--secret', 'id=key,src=key', 'step'];
    const {code, stderr} = await host.tscompose(words, {env: {CI: 'true'}});
    expect(code).toBe(1);
    expect(stderr).toContain('note: --debug holds no step where CI is set and there is no terminal\n');
    const stack = await host.tscompose(['build']);
    expect(stack.stderr).toContain('  = for a shell in what it left: tscompose build --debug web\n');
  });
});
