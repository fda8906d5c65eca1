import {expect, test} from 'vitest';
import {emptyMemory, type UpOptions} from '../../src/plan/input.ts';
import {planUp} from '../../src/plan/up.ts';
import {container, imagesOf, observed, project, running, upInput} from './fixtures.ts';
import {formatPlan} from './format.ts';

const shop = project({
  services: {
    web: {networks: {default: null}, depends_on: {db: {condition: 'service_healthy', required: true}}},
    db: {networks: {default: null}},
  },
  networks: {default: {}},
});

const oneOff: UpOptions = {oneOff: {service: 'web', name: 'shop-web-run-1'}, ignoreOrphans: true};

test('what the service depends on comes up, then one container of it is made, which nobody starts', () => {
  const plan = planUp(upInput(shop, observed({images: imagesOf(shop)}), oneOff));
  expect(formatPlan(plan)).toBe(
    `
[] -> #1 createNetwork default, no existing network
[1] -> #2 createContainer db-1, no existing container
[2] -> #3 startContainer db-1, new container
[3] -> #4 awaitCondition db service_healthy, web depends on it
[1,4] -> #5 createContainer web-1, asked for`.trim(),
  );
  expect(plan.nodes.at(-1)?.action).toMatchObject({name: 'shop-web-run-1', oneOff: true});
});

test('the containers that the service has stay as they are, also where the stack file wants others', () => {
  const changed = project({...shop, services: {...shop.services, web: {...shop.services['web'], image: 'other'}}});
  const world = {...running(shop), images: imagesOf(changed)};
  expect(formatPlan(planUp(upInput(changed, world, oneOff)))).toBe(
    `
[] -> #1 awaitCondition db service_healthy, web depends on it
[1] -> #2 createContainer web-1, asked for`.trim(),
  );
});

test('the image of the service is brought where it is missing', () => {
  const alone = project({services: {web: {image: 'x:1'}}});
  expect(formatPlan(planUp(upInput(alone, observed(), oneOff))).split('\n')).toEqual([
    '[] -> #1 pullImage x:1, not on this machine',
    '[1] -> #2 createContainer web-1, asked for',
  ]);
});

test('one is made once; one of that name which somebody else made does not count', () => {
  const alone = project({services: {web: {}}});
  const made = container(alone, 'web', {name: 'shop-web-run-1', oneOff: true, status: 'created'});
  const world = observed({containers: [made], images: imagesOf(alone)});
  expect(formatPlan(planUp(upInput(alone, world, oneOff)))).toBe('[] -> #1 createContainer web-1, asked for');
  const memory = {...emptyMemory, created: new Set([made.id])};
  expect(formatPlan(planUp({...upInput(alone, world, oneOff), memory}))).toBe('');
});
