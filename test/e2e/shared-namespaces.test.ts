import {expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {layOut, runningOn} from './attributes/stack.ts';

const waits = {image: 'busybox', command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.1; done']};

/** A proxy and who goes through it: the usual reason to share a network. */
const stack = (proxy: object = {}) => ({
  services: {
    app: {...waits, network_mode: 'service:proxy', pid: 'service:proxy'},
    proxy: {...waits, hostname: 'proxy', volumes: ['kept:/kept'], ...proxy},
    backup: {...waits, volumes_from: ['proxy:ro']},
  },
  volumes: {kept: {}},
});

async function done(host: TestHost, words: readonly string[]): Promise<string> {
  const {code, stdout, stderr} = await host.tscompose(words);
  expect({words, code, stderr: code === 0 ? '' : stderr}).toEqual({words, code: 0, stderr: ''});
  return stdout;
}

const container = async (host: TestHost, service: string) => (await done(host, ['ps', '-aq', service])).trim();

async function expectShared(host: TestHost): Promise<void> {
  const {print} = runningOn(host);
  for (const kind of ['net', 'pid']) {
    const line = `readlink /proc/self/ns/${kind}`;
    expect(await print('app', line)).toBe(await print('proxy', line));
  }
  expect(await print('app', 'hostname')).toBe('proxy');
}

test('what shares the namespaces of another service follows it through its lives', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  layOut(host, stack());
  await done(host, ['up', '-d']);
  await expectShared(host);
  expect(await done(host, ['plan'])).toContain('No changes');

  // Made anew with it.
  const before = {app: await container(host, 'app'), backup: await container(host, 'backup')};
  layOut(host, stack({environment: {CHANGED: 'yes'}}));
  const plan = await done(host, ['plan']);
  expect(plan).toContain('network_mode: "proxy" is recreated');
  expect(plan).toContain('volumes_from: "proxy" is recreated');
  await done(host, ['up', '-d']);
  await expectShared(host);
  expect(await container(host, 'app')).not.toBe(before.app);
  expect(await container(host, 'backup')).not.toBe(before.backup);
  expect(await runningOn(host).print('backup', 'grep -c " /kept .*ro," /proc/mounts')).toBe('1');
  expect(await done(host, ['plan'])).toContain('No changes');

  // Restarted with it, the same containers.
  const app = await container(host, 'app');
  await done(host, ['restart', '-t', '1', 'proxy']);
  await expectShared(host);
  await done(host, ['stop', '-t', '1', 'proxy']);
  await done(host, ['up', '-d']);
  await expectShared(host);
  expect(await container(host, 'app')).toBe(app);
  expect(await done(host, ['plan'])).toContain('No changes');

  // Made anew alone: what shared with the old one is noticed by the next "up" that is asked for it.
  await done(host, ['up', '-d', '--force-recreate', 'proxy']);
  expect(await done(host, ['plan'])).toContain('network_mode: "proxy" was recreated');
  await done(host, ['up', '-d']);
  await expectShared(host);
  expect(await container(host, 'app')).not.toBe(app);
  await done(host, ['down', '-v', '-t', '1']);
  expect(host.leftovers()).toEqual([]);
});

test('namespaces of a container of another stack are shared by its name', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  layOut(host, {services: {guest: {...waits, network_mode: 'container:no-such', ipc: 'none'}}});
  const {code, stderr} = await host.tscompose(['up', '-d']);
  expect(code).not.toBe(0);
  expect(stderr).toContain('joining network namespace of container: No such container: no-such');
  layOut(host, {
    services: {
      guest: {...waits, network_mode: 'container:elsewhere', pid: 'container:elsewhere', depends_on: ['lender']},
      lender: {...waits, container_name: 'elsewhere'},
    },
  });
  // Its id is asked for when it is made, so the other one has to be there.
  await done(host, ['up', '-d', 'lender']);
  await done(host, ['up', '-d']);
  const {print} = runningOn(host);
  expect(await print('guest', 'readlink /proc/self/ns/pid')).toBe(await print('lender', 'readlink /proc/self/ns/pid'));
  await done(host, ['down', '-t', '1']);
  expect(host.leftovers()).toEqual([]);
});

test('what has the network of a service that was started again alone is cut off: restart and up restart it', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const started = {condition: 'service_started'};
  layOut(host, {
    services: {app: {...waits, network_mode: 'service:proxy', depends_on: {proxy: started}}, proxy: waits},
  });
  await done(host, ['up', '-d']);
  const {print} = runningOn(host);
  const network = (service: string) => print(service, 'readlink /proc/self/ns/net');
  const app = await container(host, 'app');

  await done(host, ['restart', '-t', '1', 'proxy']);
  expect(await network('app')).toBe(await network('proxy'));

  await done(host, ['stop', '-t', '1', 'proxy']);
  await done(host, ['start', 'proxy']);
  expect(await done(host, ['plan'])).toContain('network_mode: "proxy" was started again');
  await done(host, ['up', '-d']);
  expect(await network('app')).toBe(await network('proxy'));
  expect(await container(host, 'app')).toBe(app);
  expect(await done(host, ['plan'])).toContain('No changes');
  await done(host, ['down', '-t', '1']);
  expect(host.leftovers()).toEqual([]);
});
