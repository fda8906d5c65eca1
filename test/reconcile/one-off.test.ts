import {expect, test} from 'vitest';
import type {FileSource} from '../../src/base/file-source.ts';
import {loadProject} from '../../src/model/load.ts';
import {lowerProject} from '../../src/reconcile/lowering.ts';
import {withOneOff} from '../../src/reconcile/one-off.ts';

const stack = `
name: shop
services: {web: {image: nginx, networks: {front: {aliases: [www]}}, stdin_open: false}}
networks: {front: {}}
`;

const files: FileSource = {
  readBytes: () => new TextEncoder().encode(stack),
  isFile: (path) => path === '/src/shop/compose.yaml',
  readStandardInput: () => new Uint8Array(),
};

const settings = {name: 'shop-web-run-1', slug: '1', autoRemove: true, interactive: true, aliases: false};

async function loweringOf(changes: Partial<typeof settings> = {}) {
  const request = {workingDirectory: '/src/shop', files: ['compose.yaml'], environment: {}};
  const {project} = await loadProject(request, files);
  const {lowering} = lowerProject(project, {features: new Set(['files']), version: '1'});
  return {lowering, oneOff: withOneOff(lowering, {...settings, ...changes})};
}

test('a container for one command is nobody’s replica, answers to its own name alone, and goes when it has ended', async () => {
  const {oneOff} = await loweringOf();
  const body = oneOff.container({service: 'web', replica: 1, image: undefined, oneOff: true});
  expect(body.Labels).not.toHaveProperty('com.docker.compose.container-number');
  expect(body).toMatchObject({
    Labels: {
      'com.docker.compose.service': 'web',
      'com.docker.compose.oneoff': 'True',
      'com.docker.compose.slug': '1',
    },
    HostConfig: {AutoRemove: true},
    OpenStdin: true,
    StdinOnce: true,
    NetworkingConfig: {EndpointsConfig: {shop_front: {Aliases: ['shop-web-run-1']}}},
  });
});

test('with the names of its service it answers to these too', async () => {
  const {oneOff} = await loweringOf({aliases: true});
  const {NetworkingConfig} = oneOff.container({service: 'web', replica: 1, image: undefined, oneOff: true});
  expect(NetworkingConfig?.EndpointsConfig?.['shop_front']?.Aliases).toEqual(
    expect.arrayContaining(['shop-web-run-1', 'web', 'www']),
  );
});

test('replicas are made as ever', async () => {
  const {lowering, oneOff} = await loweringOf();
  const request = {service: 'web', replica: 1, image: undefined};
  expect(oneOff.container(request)).toEqual(lowering.container(request));
});
