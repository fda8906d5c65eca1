import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {runMany} from './many-scenario.ts';

test('a hundred containers at once', async () => {
  await runMany(100);
});

test('a hundred that end at once, in the foreground: all that they said is printed, and nothing else', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const services = Object.fromEntries(
    Array.from({length: 100}, (_, index) => [`s${index}`, {image: 'busybox', command: ['echo', `number ${index}`]}]),
  );
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify({name: 'brief', services}));
  const {code, stdout, stderr} = await host.tscompose(['--progress', 'quiet', 'up', '--no-log-prefix']);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  const all = Array.from({length: 100}, (_, index) => [`number ${index}`, `s${index}-1 exited with code 0`]).flat();
  expect(stdout.trim().split('\n').sort()).toEqual(all.sort());
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});

test('a network takes as many containers as its bridge has ports, and says so', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const one = {image: 'busybox', command: ['sleep', '1000'], init: true};
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify({name: 'full', services: {one}}));
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  const {stdout} = await host.command('ip', ['-j', 'link', 'show', 'type', 'bridge']);
  const [bridge] = JSON.parse(stdout) as readonly [{readonly ifname: string}];
  const pairs = Array.from({length: 511}, (_, index) => [
    `link add a${index} master ${bridge.ifname} type veth peer name b${index}`,
    `link set b${index} master ${bridge.ifname}`,
  ]);
  const made = await host.command('ip', ['-batch', '-'], {input: pairs.flat().join('\n')});
  expect({code: made.code, stderr: made.stderr}).toEqual({code: 0, stderr: ''});
  const {code, stderr} = await host.tscompose(['--progress', 'quiet', 'up', '-d', '--scale', 'one=2']);
  expect({code, stderr}).toEqual({
    code: 1,
    stderr: `error: cannot start container "full-one-2": network "full_default" is full: the bridge of a network takes 1023 containers that run
hint: stop containers that are not needed, or put some of them into another network
`,
  });
  const away = Array.from({length: 511}, (_, index) => `link delete a${index}`);
  expect((await host.command('ip', ['-batch', '-'], {input: away.join('\n')})).code).toBe(0);
  expect((await host.tscompose(['--progress', 'quiet', 'up', '-d', '--scale', 'one=2'])).code).toBe(0);
  expect((await host.tscompose(['down', '-v', '-t', '1'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
