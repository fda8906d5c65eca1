import {expect, test} from 'vitest';
import {emptyMemory} from '../../src/plan/input.ts';
import {planPull} from '../../src/plan/pull.ts';
import {planUp} from '../../src/plan/up.ts';
import {observed, project, running, upInput} from './fixtures.ts';
import {formatPlan} from './format.ts';

const build = {context: '/src'};

test('an image with a name is asked for first, and built where it cannot be pulled', () => {
  const one = project({services: {a: {image: 'shop/a', build}}});
  const input = upInput(one, observed());
  expect(planUp(input).nodes[0]?.action).toEqual({kind: 'pullImage', image: 'shop/a', services: ['a'], orBuild: true});
  const unpullable = {...input, memory: {...emptyMemory, unpullable: new Set(['shop/a'])}};
  expect(formatPlan(planUp(unpullable)).split('\n')).toEqual([
    '[] -> #1 buildImage shop/a, cannot be pulled',
    '[1] -> #2 createContainer a-1, no existing container',
    '[1,2] -> #3 startContainer a-1, new container',
  ]);
  expect(planUp({...input, options: {noBuild: true}}).nodes[0]?.action).toEqual({
    ...{kind: 'pullImage', image: 'shop/a', services: ['a']},
  });
});

test('each image is built once, after those that it is built upon, and holds back only what is made of it', () => {
  const four = project({
    services: {
      api: {image: 'api:1', pull_policy: 'never', build: {...build, additional_contexts: {ground: 'service:base'}}},
      base: {image: 'base:1', pull_policy: 'never', build},
      twin: {image: 'base:1', pull_policy: 'never', build},
      web: {},
    },
  });
  const input = upInput(four, observed({images: {web: {id: 'sha256:web', config: {}}}}));
  expect(formatPlan(planUp(input)).split('\n')).toEqual([
    '[] -> #1 buildImage base:1, not on this machine',
    '[1] -> #2 buildImage api:1, not on this machine',
    '[2] -> #3 createContainer api-1, no existing container',
    '[1] -> #4 createContainer base-1, no existing container',
    '[1] -> #5 createContainer twin-1, no existing container',
    '[] -> #6 createContainer web-1, no existing container',
    '[2,3] -> #7 startContainer api-1, new container',
    '[1,4] -> #8 startContainer base-1, new container',
    '[1,5] -> #9 startContainer twin-1, new container',
    '[6] -> #10 startContainer web-1, new container',
  ]);
});

test('what is switched off is built where others are built upon it, and only then', () => {
  const disabledServices = {base: {image: 'base:1', build}};
  const services = {api: {image: 'api:1', build: {...build, additional_contexts: {ground: 'service:base'}}}};
  const on = project({services, disabledServices});
  const missing = {...upInput(on, observed()), memory: {...emptyMemory, unpullable: new Set(['api:1'])}};
  expect(formatPlan(planUp(missing)).split('\n').slice(0, 2)).toEqual([
    '[] -> #1 buildImage base:1, image "api:1" is built upon it',
    '[1] -> #2 buildImage api:1, cannot be pulled',
  ]);
  expect(planUp(missing).nodes[0]?.action).toEqual({kind: 'buildImage', image: 'base:1', services: []});
  expect(formatPlan(planUp(upInput(on, running(on))))).toBe('');
});

test('--build and pull_policy: build build what is there, once in a command, and pull nothing', () => {
  const one = project({services: {a: {build}}, lines: {'services.a.build': 4}});
  const input = upInput(one, running(one), {build: true});
  expect(formatPlan(planUp(input))).toBe('[] -> #1 buildImage a, asked for by --build');
  expect(planUp(input).nodes[0]?.why.source?.line).toBe(4);
  expect(formatPlan(planUp({...input, memory: {...emptyMemory, built: new Set(['a'])}}))).toBe('');
  const always = project({services: {a: {build, pull_policy: 'build'}}});
  expect(formatPlan(planUp(upInput(always, running(always))))).toBe('[] -> #1 buildImage a, pull_policy is build');
  expect(formatPlan(planUp(upInput(always, running(always), {noBuild: true})))).toBe('');
});

test('what a locked stack builds is not pulled, whoever else uses or mounts it', () => {
  const volumes = [{type: 'image' as const, source: 'shop/a', target: '/a'}];
  const services = {b: {image: 'shop/a'}, c: {volumes}};
  const here = observed({images: {c: {id: 'sha256:c', config: {}}}});
  const unpulled = new Set(['shop/a']);
  const whole = project({services: {...services, a: {image: 'shop/a', build, pull_policy: 'never'}}});
  expect(
    formatPlan(planUp(upInput(whole, here, {unpulled})))
      .split('\n')
      .slice(0, 2),
  ).toEqual([
    '[] -> #1 buildImage shop/a, not on this machine',
    '[1] -> #2 createContainer a-1, no existing container',
  ]);
  expect(() => planUp(upInput(project({services}), here, {unpulled}))).toThrow(
    expect.objectContaining({
      message: 'services "b", "c": image "shop/a" is not on this machine, and is never pulled',
      hint: 'the stack builds it: tscompose build --locked',
    }),
  );
  const pull = (policy: {policy?: 'always'}) =>
    planPull({project: project({services}), observed: here, options: {...policy, unpulled}}).nodes;
  expect([pull({}), pull({policy: 'always'})].flat().map(({action}) => action)).not.toContainEqual(
    expect.objectContaining({image: 'shop/a'}),
  );
});

test('a pull brings an image for each platform that is stated, and for none last', () => {
  const services = {
    a: {image: 'x'},
    b: {image: 'x', platform: 'linux/arm64'},
    c: {image: 'x', platform: 'linux/arm64'},
    d: {image: 'x', platform: 'linux/amd64', pull_policy: 'missing'},
  };
  const here = observed({images: {'x for linux/amd64': {id: 'sha256:x', config: {}}}});
  const {nodes, notices} = planPull({project: project({services}), observed: here, options: {}});
  expect(nodes.map(({action}) => action)).toEqual([
    {kind: 'pullImage', image: 'x', platform: 'linux/arm64', services: ['b', 'c']},
    {kind: 'pullImage', image: 'x', services: ['a']},
  ]);
  expect(notices.map(({message}) => message)).toEqual(['service "d": nothing is pulled: its image is here']);
});

test('one image that is built in two ways is refused', () => {
  const two = project({services: {a: {image: 'x', build}, b: {image: 'x', build: {context: '/other'}}}});
  expect(() => planUp(upInput(two, observed()))).toThrow(
    expect.objectContaining({kind: 'invalid', message: 'services "a" and "b" build image "x" in different ways'}),
  );
});
