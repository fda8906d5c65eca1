import {afterAll, beforeAll, expect, test} from 'vitest';
import {makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {layOut, type RunningStack, runningOn} from './attributes/stack.ts';

let host: TestHost;
let stack: RunningStack;

const idle = {image: 'busybox', command: ['sleep', '1000'], stop_signal: 'SIGKILL'};
const networks = {
  front: {ipam: {config: [{subnet: '10.56.1.0/24'}]}},
  back: {
    ipam: {config: [{subnet: '10.56.2.0/24', ip_range: '10.56.2.128/25', aux_addresses: {printer: '10.56.2.129'}}]},
    driver_opts: {'com.docker.network.driver.mtu': '1400'},
  },
};
const services = {
  web: {
    ...idle,
    networks: {
      front: {priority: 10, interface_name: 'wan0', ipv4_address: '10.56.1.50', mac_address: '02:00:00:00:56:01'},
      back: {
        gw_priority: 5,
        driver_opts: {'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1'},
      },
    },
  },
  store: {...idle, networks: ['back']},
  client: {...idle, networks: ['back'], links: ['store:db'], external_links: ['service-networks-web-1:site']},
  plain: {...idle, network_mode: 'bridge'},
};

beforeAll(async () => {
  host = await makeHost();
  await loadImages(host, ['busybox']);
  layOut(host, {name: 'service-networks', services, networks});
  const up = await host.tscompose(['up', '-d']);
  expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
  stack = runningOn(host);
});
afterAll(async () => {
  await host.tscompose(['down', '-v', '-t', '0']);
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
});

test('a service has the interfaces, addresses, route and settings that its networks say', async () => {
  const {print} = stack;
  const addresses = await print('web', 'ip -4 -o addr');
  expect(addresses).toMatch(/wan0 +inet 10\.56\.1\.50\/24/);
  // The gateway has the first address of the range, and what is taken by name is not given.
  expect(addresses).toMatch(/eth0 +inet 10\.56\.2\.1(?:3\d)\/24/);
  expect(await print('web', 'cat /sys/class/net/wan0/address')).toBe('02:00:00:00:56:01');
  expect(await print('web', 'cat /sys/class/net/eth0/mtu')).toBe('1400');
  expect(await print('web', 'ip route')).toContain('default via 10.56.2.128 dev eth0');
  expect(await print('web', 'cat /proc/sys/net/ipv4/conf/eth0/log_martians')).toBe('1');
  expect(await print('web', 'cat /proc/sys/net/ipv4/conf/wan0/log_martians')).toBe('0');
});

test('links are names for the service that has them', async () => {
  const {print} = stack;
  for (const name of ['db', 'site', 'store']) expect(await print('client', `nslookup ${name}`)).toMatch(/10\.56\.2\./);
  expect(await print('store', 'nslookup db || true')).not.toMatch(/10\.56\.2\./);
});

test('a service may be on the default network', async () => {
  const {NetworkSettings} = await stack.inspect('service-networks-plain-1');
  expect(Object.keys(NetworkSettings.Networks)).toEqual(['bridge']);
  const gateway = NetworkSettings.Networks['bridge']?.Gateway;
  expect(await stack.print('plain', `ping -c1 -W20 ${gateway}`)).toContain('1 packets received');
});

test('another set of networks is another container, and the plan says why', async () => {
  layOut(host, {
    name: 'service-networks',
    services: {...services, store: {...idle, networks: ['back', 'front']}},
    networks,
  });
  const plan = await host.tscompose(['plan']);
  expect(plan.stdout).toMatch(/store +recreate[\s\S]*networks\.front\.name/);
  const before = (await stack.inspect('service-networks-web-1')).Id;
  expect((await host.tscompose(['up', '-d'])).code).toBe(0);
  expect(Object.keys((await stack.inspect('service-networks-store-1')).NetworkSettings.Networks).sort()).toEqual([
    'service-networks_back',
    'service-networks_front',
  ]);
  expect((await stack.inspect('service-networks-web-1')).Id).toBe(before);
  // The link leads to the new one.
  expect(await stack.print('client', 'nslookup db')).toMatch(/10\.56\.2\./);
});
