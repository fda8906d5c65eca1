import {describe, expect, test} from 'vitest';
import {emptyMemory, type UpOptions, unforced} from '../../src/plan/input.ts';
import type {Observed} from '../../src/plan/observed.ts';
import {planUp} from '../../src/plan/up.ts';
import {container, containerId, imagesOf, network, observed, project, running, upInput, volume} from './fixtures.ts';
import {formatPlan} from './format.ts';

const shop = project({
  services: {
    web: {networks: {default: null}, depends_on: {api: {condition: 'service_started', required: true}}, scale: 2},
    api: {networks: {default: null}, depends_on: {db: {condition: 'service_healthy', required: true}}},
    db: {networks: {default: null}, volumes: [{type: 'volume', source: 'data', target: '/data'}]},
  },
  networks: {default: {}},
  volumes: {data: {}},
});

test('everything is made in the order of the dependencies, creation before any start', () => {
  expect(formatPlan(planUp(upInput(shop, observed({images: imagesOf(shop)}))))).toBe(
    `
[] -> #1 createNetwork default, no existing network
[] -> #2 createVolume data, no existing volume
[1,2] -> #3 createContainer db-1, no existing container
[1] -> #4 createContainer api-1, no existing container
[1] -> #5 createContainer web-1, no existing container
[1] -> #6 createContainer web-2, no existing container
[3] -> #7 startContainer db-1, new container
[7] -> #8 awaitCondition db service_healthy, api depends on it
[4,8] -> #9 startContainer api-1, new container
[5,9] -> #10 startContainer web-1, new container
[6,9] -> #11 startContainer web-2, new container`.trim(),
  );
});

test('a stack that runs as it should needs nothing', () => {
  expect(formatPlan(planUp(upInput(shop, running(shop))))).toBe('');
});

test('a changed field recreates only its service, says which field, and keeps the old container until the new one is made', () => {
  const before = running(project({services: {api: {environment: {LOG_LEVEL: 'info', OLD: '1', API_TOKEN: 'a'}}}}));
  const after = project({
    services: {api: {environment: {LOG_LEVEL: 'debug', API_TOKEN: 'b'}}},
    lines: {'services.api.environment.LOG_LEVEL': 6},
  });
  const plan = planUp(upInput(after, before));
  expect(formatPlan(plan)).toBe(
    `
[] -> #1 createContainer api-1 as 617069310000_api-1, configuration changed: environment.API_TOKEN ‹set› => ‹set, changed›; environment.LOG_LEVEL info => debug; environment.OLD - 1
[1] -> #2 stopContainer api-1, replaced by a new container
[1,2] -> #3 removeContainer api-1, replaced by a new container
[1,3] -> #4 renameContainer 617069310000_api-1 to api-1, takes the place of the old container
[1,4] -> #5 startContainer api-1, new container`.trim(),
  );
  expect(plan.nodes[0]?.why.changes?.[1]?.source).toEqual({file: '/src/shop/compose.yaml', line: 6, column: 5});
});

test('an image that was loaded anew under the same name recreates', () => {
  const one = project({services: {api: {}}});
  const world = running(one);
  const plan = planUp(upInput(one, {...world, images: {api: {id: 'sha256:0123456789abcdef', config: {}}}}));
  expect(formatPlan(plan).split('\n')[0]).toBe(
    '[] -> #1 createContainer api-1 as 617069310000_api-1, image changed: image id sha256:api => sha256:0123456789ab',
  );
});

test('what says nothing about a container recreates nothing', () => {
  const before = running(project({services: {api: {profiles: ['a'], pull_policy: 'missing', attach: true}, db: {}}}));
  const after = project({services: {api: {depends_on: {db: {condition: 'service_started', required: true}}}, db: {}}});
  expect(formatPlan(planUp(upInput(after, before)))).toBe('');
});

test('an image that is gone is no matter for containers that need no replacement', () => {
  expect(formatPlan(planUp(upInput(shop, {...running(shop), images: {}})))).toBe('');
});

test('missing images are pulled, each once, before anything is made of them', () => {
  const three = project({services: {a: {image: 'x:1'}, b: {image: 'y', platform: 'linux/arm64'}, c: {image: 'x:1'}}});
  expect(formatPlan(planUp(upInput(three, observed()))).split('\n')).toEqual([
    '[] -> #1 pullImage x:1, not on this machine',
    '[] -> #2 pullImage y for linux/arm64, not on this machine',
    '[1] -> #3 createContainer a-1, no existing container',
    '[2] -> #4 createContainer b-1, no existing container',
    '[1] -> #5 createContainer c-1, no existing container',
    '[1,3] -> #6 startContainer a-1, new container',
    '[2,4] -> #7 startContainer b-1, new container',
    '[1,5] -> #8 startContainer c-1, new container',
  ]);
});

test('an image that is wanted for several platforms is pulled for each, for none that is stated last', () => {
  const four = project({
    services: {
      a: {image: 'x:1'},
      b: {image: 'x:1', platform: 'linux/arm64'},
      c: {image: 'x:1', platform: 'linux/amd64'},
      d: {image: 'x:1', platform: 'linux/arm64'},
    },
  });
  const pulls = (images: Observed['images']) =>
    formatPlan(planUp(upInput(four, observed({images}))))
      .split('\n')
      .filter((line) => line.includes('pullImage'));
  expect(pulls({})).toEqual([
    '[] -> #1 pullImage x:1 for linux/arm64, not on this machine',
    '[] -> #2 pullImage x:1 for linux/amd64, not on this machine',
    '[] -> #3 pullImage x:1, not on this machine',
  ]);
  const {'x:1 for linux/arm64': _gone, ...others} = imagesOf(four);
  expect(pulls(others)).toEqual(['[] -> #1 pullImage x:1 for linux/arm64, not on this machine']);
  const plan = formatPlan(planUp(upInput(four, observed({images: others}))));
  expect(plan).toContain('[] -> #2 createContainer a-1, ');
  expect(plan).toContain('[1] -> #3 createContainer b-1, ');
});

test('an image that is here is pulled again once its name was pulled for another platform', () => {
  const two = project({services: {a: {image: 'x:1'}, b: {image: 'x:1', platform: 'linux/arm64'}}});
  const images = imagesOf(two);
  const {'x:1 for linux/arm64': _gone, ...before} = images;
  expect(formatPlan(planUp(upInput(two, observed({images: before}))))).toMatch(
    /^\[\] -> #1 pullImage x:1 for linux\/arm64, /,
  );
  const memory = (...pulled: string[]) => ({...emptyMemory, pulled: new Set(pulled)});
  const after = (...pulled: string[]) =>
    formatPlan(planUp({...upInput(two, observed({images})), memory: memory(...pulled)}));
  expect(after('x:1 for linux/arm64')).toMatch(/^\[\] -> #1 pullImage x:1, its name was pulled for another platform\n/);
  expect(after('x:1 for linux/arm64')).toContain('[1] -> #2 createContainer a-1, ');
  expect(after('x:1 for linux/arm64', 'x:1')).not.toContain('pullImage');
});

test('a container is compared with the image for its own platform', () => {
  const two = project({services: {a: {image: 'x:1', platform: 'linux/arm64'}, b: {image: 'x:1'}}});
  const world = running(two);
  expect(formatPlan(planUp(upInput(two, world)))).toBe('');
  const newer = {...world.images, 'x:1 for linux/arm64': {id: 'sha256:newer', config: {}}};
  const plan = formatPlan(planUp(upInput(two, {...world, images: newer})));
  expect(plan).toContain('createContainer a-1 ');
  expect(plan).not.toContain('b-1');
});

test('missing images that services mount are pulled before their containers are made', () => {
  const mounts = project({services: {a: {volumes: [{type: 'image', source: 'files:1', target: '/files'}]}}});
  const without = {...observed(), images: running(mounts).images};
  expect(formatPlan(planUp(upInput(mounts, without))).split('\n')).toEqual([
    '[] -> #1 pullImage files:1, mounted, not on this machine',
    '[1] -> #2 createContainer a-1, no existing container',
    '[1,2] -> #3 startContainer a-1, new container',
  ]);
  expect(formatPlan(planUp(upInput(mounts, running(mounts))))).toBe('');
});

test('missing images that must not be pulled are told all at once, with place and hint', () => {
  const two = project({
    services: {a: {image: 'x:1', pull_policy: 'never'}, b: {image: 'y', pull_policy: 'never'}},
    lines: {'services.a.image': 3, 'services.b.image': 5},
  });
  expect(() => planUp(upInput(two, observed()))).toThrow(
    expect.objectContaining({
      kind: 'notFound',
      message:
        'compose.yaml:3:5: service "a": image "x:1" is not on this machine, and is never pulled\ncompose.yaml:5:5: service "b": image "y" is not on this machine, and is never pulled',
      hint: 'load it with "tscompose load", or allow to pull it (pull_policy, --pull)',
    }),
  );
});

describe('pull policies', () => {
  const aged = (policy: string, ageMs: number | undefined) => {
    const one = project({services: {a: {pull_policy: policy}}});
    const images = Object.fromEntries(
      Object.entries(imagesOf(one)).map(([name, image]) => [
        name,
        {...image, ...(ageMs === undefined ? {} : {nameAgeMs: ageMs})},
      ]),
    );
    return formatPlan(planUp(upInput(one, {...running(one), images})));
  };
  const hour = 3_600_000;

  test.each([
    ['always', 0, '[] -> #1 pullImage a, pull_policy is always'],
    ['refresh', 0, '[] -> #1 pullImage a, pull_policy is always'],
    ['missing', 999 * hour, ''],
    ['if_not_present', 999 * hour, ''],
    ['never', 999 * hour, ''],
    ['daily', 23 * hour, ''],
    ['daily', 25 * hour, '[] -> #1 pullImage a, pulled too long ago'],
    ['weekly', 167 * hour, ''],
    ['weekly', 169 * hour, '[] -> #1 pullImage a, pulled too long ago'],
    ['every_1d2h', 25 * hour, ''],
    ['every_1d2h', 27 * hour, '[] -> #1 pullImage a, pulled too long ago'],
    ['every_30s', undefined, ''],
  ])('%s, after %d ms', (policy, ageMs, expected) => {
    expect(aged(policy, ageMs)).toBe(expected);
  });

  test('of the command come before those of the stack file', () => {
    const one = project({services: {a: {pull_policy: 'never'}}});
    const always = {...upInput(one, running(one)), options: {pull: 'always' as const}};
    expect(formatPlan(planUp(always))).toBe('[] -> #1 pullImage a, pull_policy is always');
  });

  test('an image that is called after its service is never pulled', () => {
    const named = project({services: {a: {build: {context: '/src'}}}});
    const {image: _image, ...service} = {image: '', ...named.services['a']};
    const built = {...named, services: {a: service}};
    const input = {...upInput(built, running(built)), options: {pull: 'always' as const}};
    expect(formatPlan(planUp(input))).toBe('');
    expect(formatPlan(planUp({...input, observed: observed()}))).not.toContain('pullImage');
    expect(() => planUp({...input, observed: observed(), options: {noBuild: true}})).toThrow(
      expect.objectContaining({
        kind: 'notFound',
        message: expect.stringContaining('image "shop-a" is not on this machine'),
        hint: 'build it with "tscompose build a", or leave out --no-build',
      }),
    );
  });

  test('what was pulled by this command is not pulled again', () => {
    const one = project({services: {a: {pull_policy: 'always'}}});
    const input = upInput(one, running(one));
    expect(formatPlan(planUp({...input, memory: {...input.memory, pulled: new Set(['a'])}}))).toBe('');
  });

  test('that are none are refused by name', () => {
    const one = project({services: {a: {pull_policy: 'every_full_moon'}}});
    expect(() => planUp(upInput(one, running(one)))).toThrow(
      expect.objectContaining({kind: 'invalid', message: 'service "a": pull_policy "every_full_moon" is none'}),
    );
  });
});

test('scaling up counts on from the highest number, scaling down takes diverged replicas first, then the highest', () => {
  const three = project({services: {web: {scale: 3}}});
  const gap = observed({
    containers: [container(three, 'web'), container(three, 'web', {number: 4})],
    images: imagesOf(three),
  });
  expect(formatPlan(planUp(upInput(three, gap)))).toBe(
    '[] -> #1 createContainer web-5, no existing container\n[1] -> #2 startContainer web-5, new container',
  );
  const old = container(three, 'web', {number: 1, spec: {image: 'older'}});
  const world = observed({
    containers: [old, container(three, 'web', {number: 2}), container(three, 'web', {number: 3})],
    images: imagesOf(three),
  });
  const one = project({services: {web: {scale: 1}}});
  expect(formatPlan(planUp(upInput(one, world)))).toBe(
    `
[] -> #1 stopContainer web-1, more than 1 replica
[1] -> #2 removeContainer web-1, more than 1 replica
[] -> #3 stopContainer web-3, more than 1 replica
[3] -> #4 removeContainer web-3, more than 1 replica`.trim(),
  );
});

test('what does not run is started again, what it depends on first, through services that run', () => {
  const world = running(shop);
  const containers = world.containers.map((one) => (one.service === 'api' ? one : {...one, status: 'exited' as const}));
  expect(formatPlan(planUp(upInput(shop, {...world, containers})))).toBe(
    `
[] -> #1 startContainer db-1, not running (exited)
[1] -> #2 startContainer web-1, not running (exited)
[1] -> #3 startContainer web-2, not running (exited)`.trim(),
  );
});

test('what a command has started once it does not start again, and what it made it does not force again', () => {
  const one = project({services: {job: {}}});
  const exited = container(one, 'job', {status: 'exited'});
  const world = observed({containers: [exited], images: imagesOf(one)});
  const memory = {...emptyMemory, created: new Set([exited.id]), started: new Set([exited.id])};
  expect(formatPlan(planUp({...upInput(one, world, {recreate: 'force'}), memory}))).toBe('');
});

test('whoever brings a stack up again and again recreates nothing by force a second time', () => {
  const plan = (options: UpOptions) => planUp(upInput(shop, running(shop), options)).nodes.length;
  for (const forced of [
    {recreate: 'force'},
    {services: ['web'], recreateDependencies: 'force'},
    {services: ['web'], recreate: 'force', recreateDependencies: 'diverged'},
  ] as const) {
    expect(plan(forced)).toBeGreaterThan(0);
    expect(plan(unforced(forced))).toBe(0);
  }
  expect(unforced({recreate: 'never', noStart: true})).toEqual({recreate: 'never', noStart: true});
});

test('dependents with restart: true stop before what they depend on is recreated, and start after it', () => {
  const parts = (image: string) =>
    project({
      services: {
        db: {image},
        api: {depends_on: {db: {condition: 'service_started', restart: true, required: true}}},
        web: {depends_on: {api: {condition: 'service_started', required: true}}},
      },
    });
  const world = {...running(parts('db:1')), images: imagesOf(parts('db:2'))};
  expect(formatPlan(planUp(upInput(parts('db:2'), world)))).toBe(
    `
[] -> #1 stopContainer api-1, depends on db, which is recreated
[] -> #2 createContainer db-1 as 646231000000_db-1, configuration changed: image db:1 => db:2; image id sha256:db:1 => sha256:db:2
[1,2] -> #3 stopContainer db-1, replaced by a new container
[1,2,3] -> #4 removeContainer db-1, replaced by a new container
[2,4] -> #5 renameContainer 646231000000_db-1 to db-1, takes the place of the old container
[2,5] -> #6 startContainer db-1, new container
[1,6] -> #7 startContainer api-1, stopped for what it depends on`.trim(),
  );
});

test('a network that differs is made anew, with its containers', () => {
  const parts = (internal: boolean) =>
    project({services: {a: {networks: {back: null}}}, networks: {back: internal ? {internal} : {}}});
  expect(formatPlan(planUp(upInput(parts(true), running(parts(false)))))).toBe(
    `
[] -> #1 stopContainer a-1, network "shop_back" is recreated
[1] -> #2 removeNetwork back, configuration changed: internal + true
[2] -> #3 createNetwork back, configuration changed: internal + true
[3] -> #4 createContainer a-1 as 613100000000_a-1, network "shop_back" is recreated
[1,4] -> #5 removeContainer a-1, replaced by a new container
[4,5] -> #6 renameContainer 613100000000_a-1 to a-1, takes the place of the old container
[4,6] -> #7 startContainer a-1, new container`.trim(),
  );
});

test('a running container that is attached to another network of the same name is recreated', () => {
  const one = project({services: {a: {networks: {back: null}}}, networks: {back: {}}});
  const world = {...running(one), networks: [network(one, 'back', {id: 'another'})]};
  expect(formatPlan(planUp(upInput(one, world))).split('\n')[0]).toBe(
    '[] -> #1 createContainer a-1 as 613100000000_a-1, network "shop_back" was recreated',
  );
});

test('a stopped container whose network is gone is recreated, even where nothing else is: it could not start', () => {
  const before = project({services: {a: {networks: {back: null, front: null}}}, networks: {back: {}, front: {}}});
  const after = project({services: {a: {networks: {front: null}}}, networks: {back: {}, front: {}}});
  const all = running(before);
  const world = {
    ...all,
    networks: all.networks.filter(({name}) => name !== 'shop_back'),
    containers: all.containers.map((one) => ({...one, status: 'exited' as const})),
  };
  expect(formatPlan(planUp(upInput(after, world, {recreate: 'never'}))).split('\n')[0]).toBe(
    '[] -> #1 createContainer a-1 as 613100000000_a-1, network "shop_back" is gone',
  );
});

test('a volume that differs is asked for, and untouched without consent', () => {
  const parts = (type: string) =>
    project({
      services: {db: {volumes: [{type: 'volume', source: 'data', target: '/d'}]}},
      volumes: {data: {driver_opts: {type}}},
    });
  const world = running(parts('ext4'));
  expect(formatPlan(planUp(upInput(parts('tmpfs'), world)))).toBe(
    'ask recreateVolume data, configuration changed: driver_opts.type ext4 => tmpfs',
  );
  expect(formatPlan(planUp(upInput(parts('tmpfs'), world, {recreateVolumes: ['shop_data']})))).toBe(
    `
[] -> #1 stopContainer db-1, volume "shop_data" is recreated
[1] -> #2 removeContainer db-1, volume "shop_data" is recreated
[2] -> #3 removeVolume data, configuration changed: driver_opts.type ext4 => tmpfs
[3] -> #4 createVolume data, configuration changed: driver_opts.type ext4 => tmpfs
[2,4] -> #5 createContainer db-1 as db-1, volume "shop_data" is recreated
[5] -> #6 startContainer db-1, new container`.trim(),
  );
});

test('resources of others are used with a warning, missing external ones are refused', () => {
  const one = project({
    services: {a: {networks: {back: null}, volumes: [{type: 'volume', source: 'data', target: '/d'}]}},
    networks: {back: {}},
    volumes: {data: {}},
  });
  const world = {
    ...running(one),
    networks: [network(one, 'back', {labels: {}, spec: {other: true}})],
    volumes: [volume(one, 'data', {labels: {'com.docker.compose.project': 'other'}})],
  };
  expect(formatPlan(planUp(upInput(one, world)))).toBe(
    `
warning: network "shop_back" exists, but was not created for project "shop"; it is used as it is
warning: volume "shop_data" exists, but was created for project "other"; it is used as it is`.trim(),
  );
  const external = project({
    services: {a: {networks: {back: null}, volumes: [{type: 'volume', source: 'data', target: '/d'}]}},
    networks: {back: {external: true, name: 'lan'}},
    volumes: {data: {external: true, name: 'disk'}},
    lines: {'networks.back': 9},
  });
  expect(() => planUp(upInput(external, observed({images: imagesOf(external)})))).toThrow(
    'compose.yaml:9:5: network "lan" is declared as external, but no network of that name exists\nvolume "disk" is declared as external, but no volume of that name exists',
  );
});

test('an interrupted recreate is finished, or begun anew where it is out of date', () => {
  const one = project({services: {a: {}}});
  const oldOne = container(one, 'a', {spec: {image: 'older'}});
  const name = `${oldOne.id.slice(0, 12)}_shop-a-1`;
  const fresh = container(one, 'a', {id: containerId('new'), name, status: 'created'});
  const world = (...containers: (typeof fresh)[]) => observed({containers, images: imagesOf(one)});
  expect(formatPlan(planUp(upInput(one, world(oldOne, fresh))))).toBe(
    `
[] -> #1 stopContainer a-1, finishes an interrupted recreate
[1] -> #2 removeContainer a-1, finishes an interrupted recreate
[2] -> #3 renameContainer 613100000000_a-1 to a-1, finishes an interrupted recreate
[3] -> #4 startContainer a-1, finishes an interrupted recreate`.trim(),
  );
  expect(formatPlan(planUp(upInput(one, world(fresh))))).toBe(
    `
[] -> #1 renameContainer 613100000000_a-1 to a-1, finishes an interrupted recreate
[1] -> #2 startContainer a-1, finishes an interrupted recreate`.trim(),
  );
  const stale = {...fresh, spec: {image: 'oldest'}};
  expect(
    formatPlan(planUp(upInput(one, world(oldOne, stale))))
      .split('\n')
      .slice(0, 2),
  ).toEqual([
    '[] -> #1 removeContainer 613100000000_a-1, left over from an interrupted recreate',
    '[1] -> #2 createContainer a-1 as 613100000000_a-1, configuration changed: image older => a',
  ]);
});

test('orphans are told, and removed only when asked', () => {
  const one = project({services: {a: {}}});
  const orphan = container(one, 'legacy');
  const run = container(one, 'a', {name: 'shop-a-run-1', id: containerId('run'), status: 'exited', oneOff: true});
  const busy = container(one, 'a', {name: 'shop-a-run-2', id: containerId('busy'), oneOff: true});
  const world = {...running(one), containers: [...running(one).containers, orphan, run, busy]};
  expect(formatPlan(planUp(upInput(one, world)))).toBe(
    `warning: container of this project that no service in the stack file has: shop-legacy-1
warning: container left over from "run": shop-a-run-1`,
  );
  expect(formatPlan(planUp(upInput(one, world, {ignoreOrphans: true})))).toBe('');
  expect(formatPlan(planUp(upInput(one, world, {removeOrphans: true})))).toBe(
    `
[] -> #1 removeContainer a-run-1, left over from a run
[] -> #2 stopContainer legacy-1, no service in the stack file has it
[2] -> #3 removeContainer legacy-1, no service in the stack file has it`.trim(),
  );
});

test('a policy for recreating counts for the named services, another one for the rest', () => {
  const two = project({services: {a: {}, b: {}}});
  const kinds = (options: Parameters<typeof upInput>[2]) =>
    planUp(upInput(two, running(two), options)).nodes.flatMap(({action}) =>
      action.kind === 'createContainer' ? [action.service] : [],
    );
  expect(kinds({recreate: 'force'})).toEqual(['a', 'b']);
  expect(kinds({recreate: 'force', recreateDependencies: 'diverged', services: ['a']})).toEqual(['a']);
  expect(kinds({recreate: 'diverged', recreateDependencies: 'force', services: ['a']})).toEqual(['b']);
  expect(kinds({renewAnonymousVolumes: true, services: ['a']})).toEqual(['a']);
  const changed = project({services: {a: {user: '1'}, b: {}}});
  expect(formatPlan(planUp(upInput(changed, running(two), {recreate: 'never'})))).toBe('');
});
