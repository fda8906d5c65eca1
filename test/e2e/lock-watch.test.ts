import {expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {skopeo, startRegistry} from '../support/registry.ts';
import {openTerminal} from '../support/terminal.ts';
import {imageArchive} from '../support/test-images.ts';
import {finish, read, startCommand, write} from '../support/watching.ts';

const within = (host: TestHost) => ['nsenter', `--net=/run/netns/${host.namespace}`];

async function put(host: TestHost, name: string, image: 'busybox' | 'quick'): Promise<void> {
  const copy = ['copy', '--dest-tls-verify=false', `docker-archive:${imageArchive(image)}`, `docker://${name}`];
  expect(await skopeo(copy, within(host))).toMatchObject({code: 0});
}

/** Two services, one of which is built upon what the other one runs; both names have moved on since they were locked. */
async function lockedStack(host: TestHost, box: string) {
  const service = (more: object) => ({command: ['sleep', '600'], stop_grace_period: '0s', ...more});
  const watch = [{path: './made', action: 'rebuild'}];
  const web = service({image: `${box}:1`});
  const made = service({build: './made', develop: {watch}});
  const save = (more: object = {}) =>
    write(host, 'compose.yaml', JSON.stringify({name: 'locked', services: {web, made, ...more}}));
  await put(host, `${box}:1`, 'busybox');
  write(host, 'made/Dockerfile', `FROM ${box}:1\nRUN echo first > /made\n`);
  save();
  const {stdout} = await host.tscompose(['lock']);
  const [digest = ''] = /sha256:[0-9a-f]{64}/.exec(stdout) ?? [];
  await put(host, `${box}:1`, 'quick');
  return {save, service, digest};
}

const imageOf = async (host: TestHost, name: string) =>
  (await host.tscompose(['ps', '--format', '{{.Service}} {{.Image}}'])).stdout
    .split('\n')
    .find((line) => line.startsWith(`${name} `));

test('a locked stack is watched: rebuilt upon its digests, and changed once the lock says how', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const box = `${registry.host}/box`;
  const {save, service, digest} = await lockedStack(host, box);
  await using up = startCommand(host, ['up', '--locked', '--watch']);
  await up.says(/watching 1 rule of made/);
  await eventually(async () => expect(await read(host, 'made', 'cat /made')).toBe('first\n'));
  await eventually(async () => expect(await imageOf(host, 'web')).toBe(`web ${box}:1@${digest}`));

  // Nothing of this would run upon what the name stands for by now.
  write(host, 'made/Dockerfile', `FROM ${box}:1\nRUN echo second > /made\n`);
  await eventually(async () => expect(await read(host, 'made', 'cat /made')).toBe('second\n'));
  write(host, 'made/Dockerfile', `FROM ${box}:2\nRUN echo third > /made\n`);
  await up.says(`image "${box}:2" is not locked`);
  expect(await read(host, 'made', 'cat /made')).toBe('second\n');
  write(host, 'made/Dockerfile', `FROM ${box}:1\nRUN echo second > /made\n`);

  save({more: service({image: `${box}:3`})});
  await up.says('stack ← compose.yaml: cannot be loaded, the stack stays as it was');
  await up.says(`image "${box}:3" is not in compose.lock.yaml`);
  await put(host, `${box}:3`, 'busybox');
  expect(await host.tscompose(['lock', 'more'])).toMatchObject({code: 0});
  await up.says('container locked-more-1 started');
  expect(await imageOf(host, 'more')).toBe(`more ${box}:3@${digest}`);
  expect(await imageOf(host, 'web')).toBe(`web ${box}:1@${digest}`);
  await up.interrupt();
  await registry[Symbol.asyncDispose]();
  await finish(host);
});

test('a locked stack comes up in the terminal UI, which reads the lock with it', async () => {
  await using host = await makeHost();
  await using registry = await startRegistry({within: within(host)});
  const box = `${registry.host}/box`;
  const {save, service, digest} = await lockedStack(host, box);
  {
    await using terminal = openTerminal(host, {columns: 110, rows: 30});
    terminal.type('tscompose up --ui --locked; echo code $?\r');
    await eventually(async () => expect(await imageOf(host, 'web')).toBe(`web ${box}:1@${digest}`), 60_000);
    await eventually(async () => expect(await read(host, 'made', 'cat /made')).toBe('first\n'));
    save({more: service({image: `${box}:3`})});
    await terminal.shows('stack file has errors (p)');
    terminal.type('p');
    await terminal.shows(`image "${box}:3" is not in compose.lock.yaml`);
    save();
    terminal.type('\x1b');
    await eventually(() => {
      expect(terminal.screen()).toContain('q quit');
      expect(terminal.screen()).not.toContain('stack file has errors');
    });
    terminal.type('q');
    await terminal.shows('code 0');
  }
  expect((await host.tscompose(['plan', '--locked', '--exit-code'])).code).toBe(0);
  await registry[Symbol.asyncDispose]();
  await finish(host);
});
