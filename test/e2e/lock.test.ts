import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {skopeo, startRegistry} from '../support/registry.ts';
import {imageArchive} from '../support/test-images.ts';

const within = (host: TestHost) => ['nsenter', `--net=/run/netns/${host.namespace}`];

async function put(host: TestHost, name: string, archive: string): Promise<void> {
  const copy = ['copy', '--dest-tls-verify=false', `docker-archive:${archive}`, `docker://${name}`];
  expect(await skopeo(copy, within(host))).toMatchObject({code: 0});
}

test('a stack is locked, runs what is locked when its registry has moved on, and refuses what is not', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const box = `${registry.host}/box`;
  await put(host, `${box}:1`, imageArchive('busybox'));
  mkdirSync(join(host.directory, 'made'));
  const write = (path: string, text: string) => writeFileSync(join(host.directory, path), text);
  const stack = (more: object = {}) =>
    write(
      'compose.yaml',
      JSON.stringify({
        name: 'shop',
        services: {
          web: {image: `${box}:1`, command: ['sleep', '1000'], stop_signal: 'SIGKILL'},
          made: {build: {context: './made'}, command: ['sleep', '1000'], stop_signal: 'SIGKILL'},
          ...more,
        },
      }),
    );
  stack();
  write('made/Dockerfile', `ARG TAG=1\nFROM ${box}:$TAG\nRUN echo made > /made\n`);
  expect(await host.tscompose(['up', '-d', '--locked'])).toMatchObject({
    code: 1,
    stderr: 'error: --locked: there is no compose.lock.yaml\nhint: write it: tscompose lock\n',
  });
  expect((await host.tscompose(['lock', '--check'])).code).toBe(2);

  const locked = await host.tscompose(['lock']);
  expect(locked).toMatchObject({code: 0, stderr: 'wrote compose.lock.yaml: 1 image\n'});
  const [digest = ''] = /sha256:[0-9a-f]{64}/.exec(locked.stdout) ?? [];
  expect(locked.stdout).toBe(`+ ${box}:1 ${digest}\n`);
  const text = readFileSync(join(host.directory, 'compose.lock.yaml'), 'utf8');
  expect(text.split('\n').slice(2)).toEqual([
    ...['version: 1', 'images:', `  ${box}:1: ${digest}`, 'builds:', '  made:', `    - ${box}:1`, ''],
  ]);
  expect((await host.tscompose(['lock', '--check'])).code).toBe(0);
  expect(await host.tscompose(['lock', '--outdated'])).toMatchObject({code: 0, stdout: ''});

  // From here on the name stands for another image, in which nothing of this would run.
  await put(host, `${box}:1`, imageArchive('quick'));
  const outdated = await host.tscompose(['lock', '--outdated']);
  expect({code: outdated.code, stdout: outdated.stdout}).toEqual({
    ...{code: 2, stdout: expect.stringMatching(new RegExp(`^~ ${box}:1 ${digest} → sha256:`))},
  });
  expect(await host.tscompose(['pull', '--locked', '-q'])).toMatchObject({code: 0});
  const up = await host.tscompose(['up', '-d', '--locked', '--wait']);
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  const images = await host.tscompose(['ps', '--format', '{{.Service}} {{.Image}}']);
  expect(images.stdout.split('\n').sort()).toEqual(['', 'made shop-made', `web ${box}:1@${digest}`]);
  expect((await host.tscompose(['exec', 'made', 'cat', '/made'])).stdout).toBe('made\n');
  expect((await host.tscompose(['plan', '--locked', '--exit-code'])).code).toBe(0);

  stack({more: {image: `${box}:2`}});
  const refused = await host.tscompose(['up', '-d', '--locked']);
  expect(refused.code).toBe(65);
  expect(refused.stderr).toContain(`image "${box}:2" is not in compose.lock.yaml`);
  expect(refused.stderr).toMatch(/--> compose\.yaml:1:\d+/);
  const stale = await host.tscompose(['lock', '--check']);
  expect(stale).toMatchObject({code: 2, stderr: expect.stringContaining(`compose.lock.yaml: ${box}:2 is missing`)});
  const none = await host.tscompose(['lock']);
  expect(none.code).not.toBe(0);
  expect(none.stderr).toMatch(/--> compose\.yaml:1:\d+/);
  expect(readFileSync(join(host.directory, 'compose.lock.yaml'), 'utf8')).toBe(text);

  stack();
  write('made/Dockerfile', `FROM scratch\nCOPY --from=${box}:3 /a /b\n`);
  const unlocked = await host.tscompose(['build', '--locked']);
  expect(unlocked.code).toBe(65);
  expect(unlocked.stderr).toContain(`image "${box}:3" is not locked`);
  expect(unlocked.stderr).toContain(' --> made/Dockerfile:2:1\n');

  write('compose.lock.yaml', `version: 1\nimages:\n  ${box}:1: latest\n`);
  const broken = await host.tscompose(['up', '-d', '--locked']);
  expect(broken.code).toBe(65);
  expect(broken.stderr).toMatch(/--> compose\.lock\.yaml:3:\d+/);

  // What a registry would say is known of what was pulled from it, too.
  rmSync(join(host.directory, 'compose.lock.yaml'));
  write('made/Dockerfile', 'FROM scratch\nCOPY Dockerfile /\n');
  expect(await host.tscompose(['pull', '-q', 'web'])).toMatchObject({code: 0});
  await registry[Symbol.asyncDispose]();
  const offline = await host.tscompose(['lock']);
  expect({code: offline.code, stdout: offline.stdout}).toEqual({
    ...{code: 0, stdout: expect.stringMatching(new RegExp(`^\\+ ${box}:1 sha256:[0-9a-f]{64}\n$`))},
  });
  expect(offline.stderr).toContain(`the digest of "${box}:1" here is taken`);
  expect(offline.stdout).not.toContain(digest);
  expect(await host.tscompose(['down', '-t', '0'])).toMatchObject({code: 0});
});

test('a stack is printed with the digests of its images, or these alone', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const box = `${registry.host}/box`;
  await put(host, `${box}:1`, imageArchive('busybox'));
  const {stdout} = await skopeo(
    ['inspect', '-f', '{{.Digest}}', '--tls-verify=false', `docker://${box}:1`],
    within(host),
  );
  const digest = stdout.trim();
  const other = `sha256:${'7'.repeat(64)}`;
  const write = (services: object) =>
    writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify({name: 'shop', services}));
  const config = async (...words: string[]) => {
    const {code, stdout: text, stderr} = await host.tscompose(['config', ...words]);
    expect({words, code, stderr}).toEqual({words, code: 0, stderr: ''});
    return text;
  };
  write({
    web: {image: `${box}:1`, command: ['${WHAT:-true}']},
    known: {image: `redis:7@${other}`},
    made: {build: {context: '.'}},
  });
  // As Compose writes them.
  const alone = `services:\n  known:\n    image: docker.io/library/redis@${other}\n  made: {}\n  web:\n    image: ${box}:1@${digest}\n`;
  expect(await config('--lock-image-digests')).toBe(alone);
  expect(await config('--lock-image-digests', '--no-interpolate')).toBe(alone);
  expect(JSON.parse(await config('--lock-image-digests', '--format', 'json'))).toEqual({
    services: {known: {image: `docker.io/library/redis@${other}`}, made: {}, web: {image: `${box}:1@${digest}`}},
  });
  const whole = await config('--resolve-image-digests');
  expect(whole).toBe(
    (await config())
      .replace(`image: ${box}:1`, `image: ${box}:1@${digest}`)
      .replace('image: redis:7@', 'image: docker.io/library/redis@'),
  );
  const open = await config('--resolve-image-digests', '--no-interpolate');
  expect(open).toContain(`image: ${box}:1@${digest}\n`);
  expect(open).toContain('- ${WHAT:-true}\n');
  // The text is a stack file.
  writeFileSync(join(host.directory, 'digests.yaml'), alone);
  expect(await host.tscompose(['-f', 'compose.yaml', '-f', 'digests.yaml', 'config', '--images'])).toMatchObject({
    code: 0,
    stdout: `${[`${box}:1@${digest}`, `docker.io/library/redis@${other}`, 'shop-made'].sort().join('\n')}\n`,
  });

  write({web: {image: `${box}:2`}, more: {image: `${box}:3`}});
  const failed = await host.tscompose(['config', '--resolve-image-digests']);
  expect(failed).toMatchObject({code: 1, stdout: ''});
  for (const tag of ['2', '3'])
    expect(failed.stderr).toMatch(new RegExp(`: image "${box}:${tag}": .*manifest unknown`));
  expect(failed.stderr).toContain(' --> compose.yaml:1:');
});
