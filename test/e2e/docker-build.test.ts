import {randomBytes} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {hashSync} from 'bcryptjs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {dockerEnvironment, missingDocker, writeDockerLogins} from '../support/docker-cli.ts';
import {eventually, type TestHost} from '../support/host.ts';
import {endRegistry, serveRegistry} from '../support/own-registry.ts';
import {endServedHost, makeServedHost} from '../support/served-host.ts';
import type {LongCommand} from '../support/watching.ts';

const missing = missingDocker('buildx');

/** Docker's own tools build with our engine: buildx, and Compose where it is there. */
describe('docker build with engine serve', () => {
  if (missing !== undefined) {
    it.skip(`not run: ${missing}`);
    return;
  }
  const name = `tsc-${randomBytes(4).toString('hex')}`;
  let host: TestHost;
  let served: LongCommand;

  beforeAll(async () => {
    ({host, served} = await makeServedHost());
    writeFileSync(join(host.directory, 'a'), 'a\n', {mode: 0o755});
    writeFileSync(join(host.directory, 'token'), 's3cret');
    writeFileSync(join(host.directory, '.dockerignore'), 'token\n');
    writeFileSync(
      join(host.directory, 'Dockerfile'),
      [
        'FROM busybox AS base',
        'ARG WHO=nobody',
        'COPY . /files/',
        'RUN --mount=type=secret,id=token cat /run/secrets/token; ls /files; echo $WHO',
        'FROM base AS bad',
        'RUN exit 7',
        'FROM scratch AS out',
        'COPY --from=base /files/a /built',
        'FROM base',
        '',
      ].join('\n'),
    );
  });

  afterAll(() => endServedHost({host, served}));

  const docker = (...args: readonly string[]) => dockerWith({}, ...args);
  const dockerWith = (env: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    host.command('docker', args, {
      env: {...dockerEnvironment(join(host.run, 'engine.sock')), ...env},
      cwd: host.directory,
      timeoutMs: 120_000,
    });

  it('builds an image, and finds everything in the cache the second time', async () => {
    const words = [
      'build',
      '--progress',
      'plain',
      '--build-arg',
      'WHO=me',
      '--secret',
      'id=token,src=token',
      '-t',
      name,
    ];
    const first = await docker(...words, '.');
    expect(first).toMatchObject({code: 0, stderr: expect.stringMatching(/s3creta\n|s3cret/)});
    expect(first.stderr).toMatch(/ me\n/);
    const second = await docker(...words, '--iidfile', 'id', '.');
    expect(second.code).toBe(0);
    expect(second.stderr).toMatch(/RUN --mount[^\n]*\n#\d+ CACHED/);
    const shown = await host.tscompose(['engine', 'image', 'inspect', name]);
    expect(JSON.parse(shown.stdout)).toMatchObject([{Id: readFileSync(join(host.directory, 'id'), 'utf8')}]);
  });

  it('says which step failed, and where it is written', async () => {
    const failed = await docker('build', '--progress', 'plain', '--target', 'bad', '.');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('did not complete successfully: exit code: 7');
    expect(failed.stderr).toContain('Dockerfile:6:1');
  });

  it('tells of a Dockerfile without building it', async () => {
    expect((await docker('build', '--check', '.')).stdout).toContain('no warnings found');
    writeFileSync(join(host.directory, 'Worse'), 'FROM busybox AS One\nRUN exit 1\n');
    const checked = await docker('build', '--check', '-f', 'Worse', '.');
    expect(checked).toMatchObject({code: 1, stdout: expect.stringContaining('StageNameCasing - https://')});
    expect((await docker('build', '--call=targets', '.')).stdout).toMatch(/base .*\nbad .*\nout /);
    expect((await docker('build', '--call=outline', '.')).stdout).toMatch(/WHO +nobody[\s\S]*token/);
  });

  it('gives steps names of other machines, and of this one', async () => {
    writeFileSync(join(host.directory, 'Hosts'), 'FROM busybox\nRUN cat /etc/hosts; ip route\n');
    const hosts = ['--add-host', 'other:1.2.3.4', '--add-host', 'here:host-gateway'];
    const built = await docker('build', '--progress', 'plain', ...hosts, '-f', 'Hosts', '.');
    expect(built).toMatchObject({code: 0});
    expect(built.stderr).toMatch(/ 1\.2\.3\.4\tother\n/);
    const [, gateway] = / default via (\S+)/.exec(built.stderr) ?? [];
    expect(built.stderr).toContain(` ${gateway}\there\n`);
    expect((await docker('buildx', 'history', 'ls')).code).toBe(0);
  });

  it('gives the files that were built', async () => {
    expect((await docker('build', '--target', 'out', '--output', 'type=local,dest=out', '.')).code).toBe(0);
    expect(readdirSync(join(host.directory, 'out'))).toEqual(['built']);
    expect(readFileSync(join(host.directory, 'out/built'), 'utf8')).toBe('a\n');
    expect((await docker('build', '--target', 'out', '--output', 'type=tar,dest=out.tar', '.')).code).toBe(0);
    expect(existsSync(join(host.directory, 'out.tar'))).toBe(true);
  });

  it('comes to an image and to files at once, and is pushed with the login of the client', async () => {
    writeFileSync(join(host.directory, 'users'), `ada:${hashSync('lovelace', 5)}\n`);
    const registry = await serveRegistry(host, ['--listen', '127.0.0.1:5000', '--htpasswd', 'users', '--no-local']);
    const image = 'localhost:5000/team/pushed';
    const denied = await docker('build', '--push', '-t', `${image}:1`, '--target', 'base', '.');
    expect(denied).toMatchObject({code: 1, stderr: expect.stringContaining('no basic auth credentials')});
    const logins = {DOCKER_CONFIG: join(host.directory, '../docker')};
    writeDockerLogins(logins.DOCKER_CONFIG, {'localhost:5000': 'ada:lovelace'});
    for (const words of [
      ['--push', '-t', `${image}:1`],
      ['-o', `type=registry,name=${image}:2`],
      ['-o', `type=image,name=${image}:3,push=true`, '-o', 'type=local,dest=both'],
    ])
      expect(await dockerWith(logins, 'build', ...words, '--target', 'base', '.')).toMatchObject({code: 0});
    await eventually(() => {
      for (const tag of [1, 2, 3])
        expect(registry.stdout()).toMatch(new RegExp(` ada "PUT /v2/team/pushed/manifests/${tag}" 201 `));
    });
    expect(readdirSync(join(host.directory, 'both'))).toContain('files');
    // Its programs are one file with many names.
    expect(statSync(join(host.directory, 'both/bin/ls')).nlink).toBeGreaterThan(100);
    await endRegistry(registry);
  });

  it('builds the services of a stack', async () => {
    if (missingDocker('compose') !== undefined) return;
    writeFileSync(
      join(host.directory, 'compose.yaml'),
      JSON.stringify({
        name,
        services: {
          one: {build: {context: '.', target: 'out'}},
          two: {build: {context: '.', dockerfile_inline: 'FROM busybox\nCOPY a /a\n'}},
          three: {
            build: {
              context: '.',
              dockerfile_inline: 'FROM second\nRUN test -x /a\nCOPY --from=second /a /b\n',
              additional_contexts: {second: 'service:two'},
            },
          },
        },
      }),
    );
    const built = await docker('compose', 'build');
    expect(built).toMatchObject({code: 0});
    const images = await host.tscompose(['engine', 'images', '-q', `${name}-three`]);
    expect(images.stdout.trim()).not.toBe('');
  });
});
