import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

/** A command that notes in the stack file's directory that it ran. */
const notes = (word: string, then = ''): string => `sh -c 'echo ${word} >> /notes/notes; ${then}'`;

const service = {
  image: 'busybox',
  command: 'sleep 600',
  stop_grace_period: '0s',
  volumes: ['.:/notes'],
};

function layOut(host: TestHost, services: object): void {
  writeFileSync(join(host.directory, 'compose.yaml'), stringify({name: 'hooks', services}));
}

/** What was noted since the last time. */
function noted(host: TestHost): string {
  const file = join(host.directory, 'notes');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, '');
  return text.split('\n').filter(Boolean).join(' ');
}

async function stackHost(): Promise<TestHost> {
  const host = await makeHost();
  await loadImages(host, ['busybox']);
  return host;
}

async function succeed(host: TestHost, ...args: readonly string[]): Promise<string> {
  const {code, stdout, stderr} = await host.tscompose(args);
  expect({args, code, stderr: code === 0 ? '' : stderr}).toEqual({args, code: 0, stderr: ''});
  return stdout + stderr;
}

async function takeDown(host: TestHost): Promise<void> {
  await succeed(host, 'down', '-v');
  expect(host.leftovers()).toEqual([]);
}

const hooked = {
  ...service,
  post_start: [{command: notes('one')}, {command: ['sh', '-c', 'echo two >> /notes/notes']}],
  pre_stop: [{command: notes('last')}],
};

test('hooks run around every start and stop by a command, in every replica, and around nothing else', async () => {
  await using host = await stackHost();
  layOut(host, {
    db: hooked,
    web: {...service, depends_on: ['db'], command: 'sh -c "echo web >> /notes/notes; sleep 600"'},
  });
  await succeed(host, 'up', '-d', '--wait');
  await eventually(() => expect(readFileSync(join(host.directory, 'notes'), 'utf8')).toBe('one\ntwo\nweb\n'));
  noted(host);
  layOut(host, {db: hooked});
  const after = async (...args: readonly string[]): Promise<string> => {
    await succeed(host, ...args);
    return noted(host);
  };
  expect(await after('up', '-d', '--remove-orphans')).toBe('');
  expect(await after('restart')).toBe('last one two');
  expect(await after('stop')).toBe('last');
  expect(await after('stop')).toBe('');
  expect(await after('start')).toBe('one two');
  expect(await after('up', '-d', '--force-recreate')).toBe('last one two');
  expect(await after('up', '-d', '--scale', 'db=2')).toBe('one two');
  expect(await after('up', '-d')).toBe('last');
  expect(await after('down')).toBe('last');
  await takeDown(host);
});

test('the container of one command gets the hooks beside it; a command that ends before them does not miss them', async () => {
  await using host = await stackHost();
  layOut(host, {db: hooked, wrong: {...service, post_start: [{command: 'sh -c "exit 4"'}]}});
  const waits = 'until grep -q two /notes/notes 2>/dev/null; do sleep 0.05; done; cat /notes/notes';
  expect(await host.tscompose(['run', '-q', '--rm', 'db', 'sh', '-c', waits])).toMatchObject({
    ...{code: 0, stdout: 'one\ntwo\n', stderr: ''},
  });
  expect(await host.tscompose(['run', '-q', '--rm', 'db', 'sh', '-c', 'exit 3'])).toMatchObject({code: 3, stderr: ''});
  noted(host);
  await succeed(host, 'run', '-q', '-d', 'db');
  expect(noted(host)).toBe('one two');
  // It goes on, and so does what it was made for.
  const failed = await host.tscompose(['run', '-q', '-d', '--name', 'hooks-wrong', 'wrong']);
  expect(failed).toMatchObject({code: 1, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/)});
  expect(failed.stderr).toMatch(
    /compose\.yaml:\d+:\d+: service "wrong": post_start hook 1 in container "hooks-wrong" failed with exit code 4\n/,
  );
  expect((await host.tscompose(['ps', '-a', '--format', '{{.Name}} {{.State}}'])).stdout).toContain(
    'hooks-wrong running',
  );
  await takeDown(host);
});

test('a hook has the user, directory and environment that it asks for', async () => {
  await using host = await stackHost();
  layOut(host, {
    db: {
      ...service,
      environment: {KEPT: 'kept', TAKEN: 'taken', OVER: 'container'},
      post_start: [
        {
          command: 'sh -c \'echo "$$(id -u):$$(id -g) $$(pwd) $$KEPT $${TAKEN-none} $$OVER" > /tmp/seen\'',
          user: '7:8',
          working_dir: '/tmp',
          environment: {TAKEN: null, OVER: 'hook'},
        },
      ],
    },
  });
  await succeed(host, 'up', '-d');
  expect(await succeed(host, 'exec', '-T', 'db', 'cat', '/tmp/seen')).toBe('7:8 /tmp kept none hook\n');
  await takeDown(host);
});

test('attached, hooks are heard among the logs; the ones before the stop on Ctrl-C too', async () => {
  await using host = await stackHost();
  const says = (word: string) => [{command: `sh -c 'echo ${word}; echo ${word}-error >&2'`}];
  const db = {...service, post_start: says('hello'), pre_stop: says('bye')};
  layOut(host, {db, quiet: {...db, attach: false}});
  await using up = startCommand(host, ['up']);
  // Both streams arrive; which of them first is not said.
  await eventually(() => expect(up.stdout()).toMatch(/^db-1 ->\s+\| hello$/m), 30_000);
  await eventually(() => expect(up.stdout()).toMatch(/^db-1 ->\s+\| hello-error$/m), 30_000);
  await up.says('quiet-1 started', 30_000);
  await eventually(async () => expect((await host.tscompose(['ps', '-q'])).stdout.split('\n').length).toBe(3), 30_000);
  expect(await up.interrupt()).toBe(130);
  expect(up.stdout()).toMatch(/^db-1 ->\s+\| bye$/m);
  expect(up.stdout()).not.toContain('quiet-1');
  await takeDown(host);
});

describe('a hook that fails', () => {
  test('after the start fails the start with its place, and the next up goes on with it', async () => {
    await using host = await stackHost();
    layOut(host, {
      db: {
        ...service,
        post_start: [{command: notes('one')}, {command: notes('two', 'echo no table; test -e /notes/works')}],
      },
      web: {...service, depends_on: ['db']},
    });
    const failed = await host.tscompose(['up', '-d']);
    expect(failed.code).toBe(1);
    const place =
      /compose\.yaml:\d+:\d+: service "db": post_start hook 2 in container "hooks-db-1" failed with exit code 1/;
    expect(failed.stderr).toMatch(place);
    expect(failed.stderr).toContain('hooks-db-1 | no table');
    expect(failed.stderr).toContain('container hooks-web-1 skipped');
    expect(await succeed(host, 'ps', '--services')).toBe('db\n');
    expect(noted(host)).toBe('one two');
    const plan = await host.tscompose(['plan', '--format', 'json']);
    expect(plan.stdout).toContain('"hook":"post_start","number":2');
    writeFileSync(join(host.directory, 'works'), '');
    await succeed(host, 'up', '-d');
    expect(noted(host)).toBe('two');
    await succeed(host, 'up', '-d');
    expect(noted(host)).toBe('');
    expect(await succeed(host, 'ps', '--services')).toBe('db\nweb\n');
    await takeDown(host);
  });

  test('before the stop keeps the container, until the stack file has another one', async () => {
    await using host = await stackHost();
    layOut(host, {db: {...service, pre_stop: [{command: 'sh -c "exit 7"'}]}});
    await succeed(host, 'up', '-d');
    for (const command of ['stop', 'restart', 'down']) {
      const failed = await host.tscompose([command]);
      expect(failed).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('pre_stop hook 1 in container "hooks-db-1" failed with exit code 7'),
      });
    }
    expect(await succeed(host, 'ps', '--services')).toBe('db\n');
    layOut(host, {db: {...service, pre_stop: [{command: notes('last')}]}});
    await succeed(host, 'down');
    expect(noted(host)).toBe('last');
    await takeDown(host);
  });

  test('because there is no such program says so', async () => {
    await using host = await stackHost();
    layOut(host, {db: {...service, post_start: [{command: 'no-such-program'}]}});
    const failed = await host.tscompose(['up', '-d']);
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /post_start hook 1 in container "hooks-db-1" failed with exit code 127\n.*no-such-program/,
      ),
    });
    await takeDown(host);
  });
});

test('nothing is run in a container that crashed, and a hook may be what ends it', async () => {
  await using host = await stackHost();
  layOut(host, {
    db: {...service, stop_grace_period: '60s', init: true, pre_stop: [{command: notes('last', 'kill 1; sleep 600')}]},
  });
  await succeed(host, 'up', '-d');
  await succeed(host, 'stop');
  expect(noted(host)).toBe('last');
  await succeed(host, 'start');
  // It may be killed itself before it has ended well.
  await host.tscompose(['exec', '-T', 'db', 'sh', '-c', 'kill 1']);
  await eventually(async () => expect(await succeed(host, 'ps', '--services')).toBe(''), 30_000);
  await takeDown(host);
  expect(noted(host)).toBe('');
});

describe('an up that ends while a hook runs', () => {
  const waits = {
    ...service,
    post_start: [
      {command: notes('one')},
      {command: notes('two', 'test -e /notes/go || exec sleep 600')},
      {command: notes('three')},
    ],
  };

  async function interrupted(
    host: TestHost,
    end: (up: {readonly pid: number; interrupt(): Promise<unknown>}) => Promise<unknown>,
  ) {
    layOut(host, {db: waits, web: {...service, depends_on: ['db']}});
    await using up = startCommand(host, ['up', '-d']);
    await eventually(() => expect(readFileSync(join(host.directory, 'notes'), 'utf8')).toBe('one\ntwo\n'), 30_000);
    await end(up);
    const code = await up.exited;
    noted(host);
    writeFileSync(join(host.directory, 'go'), '');
    expect(await succeed(host, 'plan')).toMatch(/» db +run hooks in 1 container: has not run since its start/);
    await succeed(host, 'up', '-d');
    expect(noted(host)).toBe('two three');
    expect(await succeed(host, 'ps', '--services')).toBe('db\nweb\n');
    await succeed(host, 'up', '-d');
    expect(noted(host)).toBe('');
    await takeDown(host);
    return code;
  }

  test('by Ctrl-C is completed by the next one', async () => {
    await using host = await stackHost();
    writeFileSync(join(host.directory, 'notes'), '');
    expect(await interrupted(host, (up) => up.interrupt())).toBe(130);
  });

  test('by a kill is completed by the next one', async () => {
    await using host = await stackHost();
    writeFileSync(join(host.directory, 'notes'), '');
    await interrupted(host, async ({pid}) => process.kill(pid, 'SIGKILL'));
  });
});
