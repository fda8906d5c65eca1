import {chownSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {beforeAll, describe, expect, test} from 'vitest';
import {down, inside, mustLoadHostile, mustUp, writeStack} from './attacks/hostile.ts';
import {serveAttacked} from './attacks/served.ts';
import {type AttackHost, attackTargets, useAttacked} from './attacks/targets.ts';

const secrets = {file: 'ssh-5f1c0a', environment: 'env-77ab31', config: 'conf-90de12', variable: 'var-c0ffee'} as const;

/** Every file beneath a directory, with what it holds. The engine goes on: what is gone by the time it is read is left out. */
function files(directory: string): {readonly path: string; readonly text: string; readonly mode: number}[] {
  return readdirSync(directory, {withFileTypes: true}).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return unlessGone(() => files(path)) ?? [];
    if (!entry.isFile()) return [];
    const file = unlessGone(() => ({path, text: readFileSync(path, 'latin1'), mode: statSync(path).mode & 0o777}));
    return file === undefined ? [] : [file];
  });
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** Command line and environment of every process of the engine and its containers. */
function told(host: AttackHost): readonly {readonly text: string; readonly isContainers: boolean}[] {
  return host.processes().flatMap(({pid, isContainers}) => {
    try {
      const text = ['cmdline', 'environ', 'comm'].map((file) => readFileSync(`/proc/${pid}/${file}`, 'latin1'));
      return [{text: text.join('\n'), isContainers}];
    } catch {
      // It has ended.
      return [];
    }
  });
}

const stack = 'name: hostile\nservices: {a: {image: busybox, command: "true"}}\n';

describe.each(attackTargets)('an engine $engine', (target) => {
  const machine = useAttacked(target, stack);
  beforeAll(() => mustLoadHostile(machine.host, 'busybox', () => {}));

  test('contents of secrets and configs are nowhere but in the files that are for them', async () => {
    const {host} = machine;
    writeFileSync(join(host.directory, 'file'), secrets.file, {mode: 0o600});
    const owner = statSync(host.directory);
    chownSync(join(host.directory, 'file'), owner.uid, owner.gid);
    writeStack(
      host,
      `name: keeper
services:
  a:
    image: busybox
    init: true
    command: sleep 600
    environment: {TOKEN: $VARIABLE}
    secrets: [from-file, from-environment]
    configs: [settings]
    healthcheck: {test: "cat /run/secrets/from-file > /dev/null", interval: 1s}
secrets:
  from-file: {file: ./file}
  from-environment: {environment: SECRET}
configs:
  settings: {content: "${secrets.config}"}
`,
    );
    const env = {SECRET: secrets.environment, VARIABLE: secrets.variable};
    // For the commands below; the one that makes the monitors also has it in its own environment.
    writeFileSync(join(host.directory, '.env'), `SECRET=${env.SECRET}\nVARIABLE=${env.VARIABLE}\n`);
    const up = await host.tscompose(['up', '-d', '--wait'], {env});
    expect(up.code).toBe(0);

    // It is where it belongs, on a memory file system and for nobody else to change.
    expect(await inside(host, 'a', 'sh', '-c', 'cat /run/secrets/*')).toContain(secrets.file);
    const mounts = await inside(host, 'a', 'grep', '-E', ' (/run/secrets/|/settings)', '/proc/self/mountinfo');
    expect(mounts.trim().split('\n')).toHaveLength(3);
    for (const line of mounts.trim().split('\n')) expect(line).toMatch(/ ro,.* - tmpfs /);

    // Processes of the engine tell nothing, not even of variables; those of the container have the variables alone.
    const processes = told(host);
    expect(processes.filter(({isContainers}) => !isContainers).length).toBeGreaterThan(0);
    for (const {text, isContainers} of processes) {
      for (const [name, value] of Object.entries(secrets)) {
        if (name !== 'variable' || !isContainers) expect(text).not.toContain(value);
      }
      if (!isContainers) expect(text).not.toMatch(/TOKEN|SECRET|TSCOMPOSE_ROOT/);
    }

    // Of what is told about containers, nothing.
    await using served = await serveAttacked(host);
    const answers = [
      JSON.stringify(await served.docker.getContainer('keeper-a-1').inspect()),
      (await host.tscompose(['ps', '-a', '--format', 'json'])).stdout,
      (await host.tscompose(['logs'])).stdout,
      (await host.tscompose(['plan'])).stdout,
      (await host.tscompose(['images', '--format', 'json'])).stdout,
      up.stdout + up.stderr,
    ].join('\n');
    for (const name of ['file', 'environment', 'config'] as const) expect(answers).not.toContain(secrets[name]);

    // On disk: in files that only root reads, in directories that only root enters.
    const all = [...files(host.root), ...files(host.run)];
    const holders = all.filter(({text}) =>
      [secrets.file, secrets.environment, secrets.config].some((value) => text.includes(value)),
    );
    expect(holders.map(({path}) => path.replace(/[0-9a-f]{64}/, '<id>').replace(host.root, '')).sort()).toEqual([
      expect.stringMatching(/^\/containers\/<id>\/files\//),
      expect.stringMatching(/^\/containers\/<id>\/files\//),
    ]);
    for (const {mode} of holders) expect(mode & 0o077).toBe(0);
    const records = all.filter(({path}) => !/\/(?:layers|upper)\//.test(path));
    const open = records.filter(({mode}) => (mode & 0o077) !== 0).map(({path}) => path.replace(/^.*\//, ''));
    // What a container's users read is behind directories that nobody enters; blobs are what they are anywhere.
    expect(open.filter((name) => !/^(?:hosts|hostname|resolv\.conf|[0-9a-f]{64})$/.test(name))).toEqual([]);

    await down(host);
    const left = files(host.root).filter(({text}) => text.includes(secrets.environment));
    expect(left.map(({path}) => path)).toEqual([]);
  });

  test('names and labels with line ends and quotes forge no event and no log', async () => {
    const {host} = machine;
    writeStack(
      host,
      `name: forger
services:
  a:
    image: busybox
    network_mode: none
    command: [sh, -c, 'printf "one\\\\n{\\\\\\"log\\\\\\":\\\\\\"forged\\\\\\"}\\\\r\\\\033[2Jtwo\\\\n"']
    labels:
      evil: "x\\"}\\n{\\"v\\":1,\\"seq\\":1,\\"type\\":\\"container\\",\\"action\\":\\"forged\\",\\"id\\":\\"0\\"}\\n"
`,
    );
    await mustUp(host);
    await host.tscompose(['stop']);
    const events = readFileSync(join(host.root, 'events.ndjson'), 'utf8').trim().split('\n');
    const actions = events.map((line) => (JSON.parse(line) as {readonly action: string}).action);
    expect(actions).toContain('create');
    expect(actions).not.toContain('forged');
    const {stdout} = await host.tscompose(['logs', '--no-color']);
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual([
      expect.stringMatching(/^a-1\s+\| one$/),
      expect.stringMatching(/^a-1\s+\| \{.*forged/),
    ]);
    await down(host);
  });
});
