import {expect, test} from 'vitest';
import {specLabel} from '../../src/api/labels.ts';
import type {FileSource} from '../../src/base/file-source.ts';
import {loadProject} from '../../src/model/load.ts';
import {parseSpec} from '../../src/plan/spec.ts';
import {withAnonymousVolumes} from '../../src/reconcile/anonymous-volumes.ts';
import {lowerProject} from '../../src/reconcile/lowering.ts';

const stack = `
name: shop
services:
  web:
    image: nginx
    environment: {A: "1", TOKEN: x}
    ports: ["8080:80", "127.0.0.1:9000-9001:9000-9001/udp"]
    volumes: ["data:/data", "./src:/app:ro", "/cache"]
    networks: {front: {aliases: [www]}, default: {}}
    healthcheck: {test: "true", interval: 5s}
    secrets: [key]
    deploy: {resources: {limits: {cpus: "0.5", memory: 64m}}, replicas: 2}
    depends_on: {db: {condition: service_healthy, restart: true}}
  db: {image: postgres, command: [sleep, "1"], stop_grace_period: 3s}
networks: {front: {internal: true}}
volumes: {data: {driver_opts: {type: none, device: /srv/data, o: bind}}}
secrets: {key: {environment: KEY}}
`;

/** A file system with the stack file in it. */
const files: FileSource = {
  readBytes: () => new TextEncoder().encode(stack),
  isFile: (path) => path === '/src/shop/compose.yaml',
  readStandardInput: () => new Uint8Array(),
};

async function lowered() {
  const request = {workingDirectory: '/src/shop', files: ['compose.yaml'], environment: {KEY: 'secret text'}};
  const {project} = await loadProject(request, files);
  return {project, ...lowerProject(project, {features: new Set(['files']), version: '1.2.3'})};
}

test('what is kept with a container, network or volume is what the same file asks for the next time', async () => {
  const {project, desired, lowering} = await lowered();
  for (const service of Object.keys(project.services)) {
    const {Labels} = lowering.container({service, replica: 1, image: undefined});
    expect(parseSpec(Labels?.[specLabel])).toEqual(desired.services[service]);
    expect(Labels?.[specLabel]).not.toContain('secret text');
  }
  for (const key of Object.keys(project.networks))
    expect(parseSpec(lowering.network(key).Labels?.[specLabel])).toEqual(desired.networks[key]);
  for (const key of Object.keys(project.volumes))
    expect(parseSpec(lowering.volume(key).Labels?.[specLabel])).toEqual(desired.volumes[key]);
});

test('a container that replaces another carries its name and the id of its image', async () => {
  const {lowering} = await lowered();
  const image = {id: 'sha256:1', config: {}};
  expect(lowering.container({service: 'db', replica: 2, image, replaces: {name: 'shop-db-2'}}).Labels).toMatchObject({
    'com.docker.compose.replace': 'shop-db-2',
    'com.docker.compose.image': 'sha256:1',
    'com.docker.compose.container-number': '2',
  });
});

test('volumes without a name are spelled out: inherited where there is one, labelled where they are new', () => {
  const body = {
    Image: 'x',
    HostConfig: {
      Mounts: [
        {Type: 'volume' as const, Target: '/stated'},
        {Type: 'volume' as const, Source: 'shop_data', Target: '/named'},
      ],
      Binds: ['/src:/bound'],
      Tmpfs: {'/memory': ''},
    },
  };
  const image = {id: 'i', config: {Volumes: {'/named': {}, '/bound': {}, '/memory': {}, '/declared': {}, '/old': {}}}};
  const inherited = [
    {type: 'volume' as const, name: 'v1', source: '/v', target: '/old'},
    {type: 'volume' as const, name: 'v2', source: '/v', target: '/named'},
    {type: 'bind' as const, source: '/x', target: '/declared'},
  ];
  const labels = {Labels: {'com.docker.compose.project': 'shop', 'io.tscompose.anonymous': 'true'}};
  expect(withAnonymousVolumes(body, {project: 'shop', image, inherited}).HostConfig?.Mounts).toEqual([
    {Type: 'volume', Target: '/stated', VolumeOptions: labels},
    {Type: 'volume', Source: 'shop_data', Target: '/named'},
    {Type: 'volume', Target: '/declared', VolumeOptions: labels},
    {Type: 'volume', Source: 'v1', Target: '/old'},
  ]);
  const plain = {Image: 'x', HostConfig: {Binds: ['/a:/b']}};
  expect(withAnonymousVolumes(plain, {project: 'shop', image: undefined, inherited})).toBe(plain);
});
