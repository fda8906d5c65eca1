import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const service = 'image: busybox, command: sleep 600, stop_signal: SIGKILL';

test('what a container that was stopped a moment ago held is free: its network, its address, its port', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const network = (label: string) => `{labels: {made: ${label}}, ipam: {config: [{subnet: 10.83.0.0/24}]}}`;
  const stack = ({label, first, second}: {label: string; first: number; second: number}) => `name: changes
services:
  one: {${service}, ports: ["${first}:80"], networks: {front: {ipv4_address: 10.83.0.10${first % 10}}}}
  two: {${service}, ports: ["${second}:80"], networks: {front: {ipv4_address: 10.83.0.10${second % 10}}}}
networks: {front: ${network(label)}}
`;
  const up = async (text: string) => {
    writeFileSync(join(host.directory, 'compose.yaml'), text);
    expect(await host.tscompose(['up', '-d'])).toMatchObject({code: 0});
  };
  // Each time a start or a removal meets what another container's monitor is about to give back.
  for (const label of ['once', 'twice', 'again', 'last']) {
    await up(stack({label, first: 8081, second: 8082}));
    await up(stack({label, first: 8082, second: 8081}));
  }
  expect((await host.tscompose(['down'])).code).toBe(0);
  expect(host.leftovers()).toEqual([]);
});
