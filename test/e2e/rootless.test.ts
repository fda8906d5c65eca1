import {readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {eventually} from '../support/host.ts';
import {makeUserHost, type UserHost} from '../support/user-host.ts';

function stack(host: UserHost, text: string): void {
  writeFileSync(join(host.directory, 'compose.yaml'), text);
}

async function succeed(host: UserHost, ...args: readonly string[]): Promise<string> {
  const {code, stdout, stderr} = await host.tscompose(args);
  expect({args, code, stderr: code === 0 ? '' : stderr}).toEqual({args, code: 0, stderr: ''});
  return stdout;
}

async function expectNothingLeft(host: UserHost): Promise<void> {
  await eventually(() => expect(host.leftovers()).toEqual([]));
}

const pair = `
services:
  web:
    image: busybox
    command: sh -c 'id -u > /www/index.html; exec httpd -f -p 80 -h /www'
    ports: ["18080:80"]
    volumes: ["data:/www"]
    healthcheck: {test: [CMD, wget, -q, -O-, "http://127.0.0.1/"], interval: 200ms}
  asker:
    image: busybox
    command: sh -c 'wget -q -O- http://web/ && exec sleep 1000'
    stop_signal: SIGKILL
    depends_on: {web: {condition: service_healthy}}
volumes: {data: {}}
`;

test("a stack of a user without any right comes up, is reached, looked into and removed; nothing of it is root's", async () => {
  await using host = await makeUserHost();
  await host.loadImages(['busybox']);
  stack(host, pair);
  await succeed(host, 'up', '-d');

  const page = await host.command('curl', ['-sS', '--max-time', '20', 'http://127.0.0.1:18080/']);
  expect(page.stdout).toBe('0\n');
  await eventually(async () => expect(await succeed(host, 'logs', 'asker')).toContain('| 0'));

  // Every process is the user's, and the machine's network has nothing of it but the published port.
  const all = host.processes();
  expect(all.map(({name}) => name)).toEqual(expect.arrayContaining(['tscompose-keep', 'tscompose-monit', 'httpd']));
  expect(new Set(all.map(({userId}) => userId))).toEqual(new Set([host.userId]));
  const links = await host.asRoot('ip', ['-o', 'link', 'show']);
  expect(links.stdout.trim().split('\n')).toHaveLength(1);
  expect((await host.asRoot('nft', ['list', 'ruleset'])).stdout).toBe('');
  // Monitors write their records anew meanwhile.
  const wanted = ['-ignore_readdir_race', '!', '-user', String(host.userId)];
  const owners = await host.asRoot('find', [host.root, host.run, ...wanted]);
  expect(owners).toMatchObject({code: 0, stdout: ''});

  // What is done to one that runs.
  expect(await succeed(host, 'exec', '-T', 'web', 'cat', '/proc/self/uid_map')).toMatch(
    new RegExp(`^\\s+0\\s+${host.userId}\\s+1\\n$`),
  );
  writeFileSync(join(host.directory, 'page'), 'copied\n');
  await succeed(host, 'cp', 'page', 'web:/www/index.html');
  expect((await host.command('curl', ['-sS', 'http://127.0.0.1:18080/'])).stdout).toBe('copied\n');
  await succeed(host, 'pause', 'web');
  const paused = host.processes().find(({name}) => name === 'httpd');
  expect(readFileSync(`/proc/${paused?.pid}/status`, 'utf8')).toMatch(/^State:\s+T/m);
  await succeed(host, 'unpause', 'web');
  expect(await succeed(host, 'top', 'web')).toContain('httpd -f -p 80');
  // A probe counts, too, while it runs.
  await eventually(async () => {
    const [sample] = (await succeed(host, 'stats', '--no-stream', '--format', 'json', 'web')).trim().split('\n');
    expect(JSON.parse(sample ?? '')).toMatchObject({Name: 'work-web-1', PIDs: '1'});
  });

  expect(await succeed(host, 'plan', '--exit-code')).toContain('No changes');
  await succeed(host, 'down', '-v');
  await expectNothingLeft(host);
});

test('a keeper that was killed is repaired by the next command: what runs goes on, and is reached', async () => {
  await using host = await makeUserHost();
  await host.loadImages(['busybox']);
  stack(host, pair);
  await succeed(host, 'up', '-d');
  const httpd = () => host.processes().find(({name}) => name === 'httpd')?.pid;
  const before = httpd();
  const keepers = host.processes().filter(({name}) => name === 'tscompose-keep');
  expect(keepers).toHaveLength(2);
  for (const {pid} of keepers) process.kill(pid, 'SIGKILL');
  await eventually(() => expect(host.processes().filter(({name}) => name === 'tscompose-keep')).toEqual([]));

  // One more replica, in the same network as what was there.
  await succeed(host, 'up', '-d', '--scale', 'asker=2');
  expect(httpd()).toBe(before);
  await eventually(async () => expect(await succeed(host, 'logs', '--no-color', 'asker')).toMatch(/asker-2\s+\| 0/));
  expect((await host.command('curl', ['-sS', 'http://127.0.0.1:18080/'])).stdout).toBe('0\n');
  await succeed(host, 'down', '-v');
  await expectNothingLeft(host);
});

test('a keeper that was killed again before it was ready, or was stopped, is repaired as well', async () => {
  await using host = await makeUserHost();
  await host.loadImages(['busybox']);
  stack(host, pair);
  await succeed(host, 'up', '-d');
  const keepers = () => host.processes().filter(({name}) => name === 'tscompose-keep');
  for (const {pid} of keepers()) process.kill(pid, 'SIGKILL');
  await eventually(() => expect(keepers()).toEqual([]));
  // As a keeper leaves it that ends between its start and being ready.
  renameSync(join(host.run, 'keeper.json'), join(host.run, 'keeper-old.json'));
  await succeed(host, 'up', '-d', '--scale', 'asker=2');
  await eventually(async () => expect(await succeed(host, 'logs', '--no-color', 'asker')).toMatch(/asker-2\s+\| 0/));

  const child = Number(JSON.parse(readFileSync(join(host.run, 'keeper.json'), 'utf8')).pid);
  const keeper = keepers().find(({pid}) => pid !== child);
  process.kill(keeper?.pid ?? 0, 'SIGSTOP');
  const refused = await host.tscompose(['restart', '-t', '0', 'web']);
  expect(refused.code).toBe(69);
  expect(refused.stderr).toContain("the process that has the ports of this user's containers does not answer");
  expect(refused.stderr).toContain('pkill -CONT tscompose-keep');
  process.kill(keeper?.pid ?? 0, 'SIGCONT');
  await succeed(host, 'restart', '-t', '0', 'web');
  process.kill(keeper?.pid ?? 0, 'SIGSTOP');
  await succeed(host, 'down', '-v');
  await expectNothingLeft(host);
  await succeed(host, 'up', '-d');
  await succeed(host, 'down', '-v');
  await expectNothingLeft(host);
});

test('limits that the machine cannot keep are refused with the way out, or left out where that is asked for', async () => {
  await using host = await makeUserHost();
  stack(
    host,
    `
services:
  web: {image: tscompose/host, command: sleep 1000, mem_limit: 64m, pids_limit: 20, stop_signal: SIGKILL}
`,
  );
  const refused = await host.tscompose(['up', '-d']);
  expect(refused.code).toBe(65);
  expect(refused.stderr).toContain('cannot set HostConfig.Memory: this user was given no cgroup controller "memory"');
  expect(refused.stderr).toContain('--allow-missing-limits');
  const allowed = await host.tscompose(['--ansi=never', 'up', '-d', '--allow-missing-limits']);
  expect(allowed.code).toBe(0);
  expect(allowed.stderr).toContain('the container runs without HostConfig.Memory');
  expect(allowed.stderr).toContain('the container runs without HostConfig.PidsLimit');
  await succeed(host, 'restart');
  await succeed(host, 'down');
  const byEnvironment = await host.tscompose(['up', '-d'], {env: {TSCOMPOSE_ALLOW_MISSING_LIMITS: '1'}});
  expect(byEnvironment.code).toBe(0);
  await succeed(host, 'down');
  await expectNothingLeft(host);
});

test('what only root may do is refused by name', async () => {
  await using host = await makeUserHost();
  const refusal = async (line: string) => {
    stack(host, `services: {web: {image: tscompose/host, command: sleep 1000, ${line}}}\n`);
    const {code, stderr} = await host.tscompose(['up', '-d']);
    await succeed(host, 'down');
    expect(code).not.toBe(0);
    return stderr;
  };
  expect(await refusal('ports: ["80:80"]')).toContain('run "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80"');
  expect(await refusal('oom_score_adj: -500')).toContain('cannot set HostConfig.OomScoreAdj without root');
  expect(await refusal('ulimits: {nofile: 99999999}')).toContain('cannot set HostConfig.Ulimits without root');
  expect(await refusal('pid: host')).toContain('cannot set HostConfig.PidMode "host" without root');
  expect(await refusal('cgroup_parent: /mine')).toContain('cannot set HostConfig.CgroupParent without root');
  expect(await refusal('user: "33"')).toMatch(/the user namespace has no such id\nhint: this user has too few ids/);
  await expectNothingLeft(host);
});

test('doctor tells a user what is missing and how to get it, without an engine', async () => {
  await using host = await makeUserHost();
  const told = await succeed(host, 'doctor');
  expect(told).toMatch(/^ids\s+warning\s+containers have a single id/m);
  expect(told).toContain('  outbound: install pasta (package passt)\n');
  const findings = JSON.parse(await succeed(host, 'doctor', '--format', 'json')) as readonly {readonly check: string}[];
  expect(findings).toContainEqual(expect.objectContaining({check: 'user namespaces', status: 'ok'}));
  expect(host.processes()).toEqual([]);
});

test('containers of a command that systemd has the kernel kill sooner are killed as readily', async () => {
  await using host = await makeUserHost();
  await host.loadImages(['busybox']);
  stack(
    host,
    `
services:
  usual: {image: busybox, command: [sleep, "1000"], network_mode: none, stop_signal: SIGKILL}
  sooner: {image: busybox, command: [sleep, "2000"], network_mode: none, stop_signal: SIGKILL, oom_score_adj: 300}
`,
  );
  const raised = await host.tscomposeAfter('echo 200 > /proc/self/oom_score_adj', ['up', '-d']);
  expect({code: raised.code, stderr: raised.code === 0 ? '' : raised.stderr}).toEqual({code: 0, stderr: ''});
  const score = (words: string) => {
    const {pid} = host.processes().find((process) => process.words === words) ?? {};
    return readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim();
  };
  expect([score('sleep 1000'), score('sleep 2000')]).toEqual(['200', '300']);
  expect(await succeed(host, 'exec', '-T', 'usual', 'cat', '/proc/self/oom_score_adj')).toBe('200\n');
  await succeed(host, 'down');
  await expectNothingLeft(host);
});
