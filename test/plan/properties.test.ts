import fc from 'fast-check';
import {expect, test} from 'vitest';
import type {Project, Service} from '../../src/model/types.ts';
import {planDown} from '../../src/plan/down.ts';
import type {UpOptions} from '../../src/plan/input.ts';
import type {Observed} from '../../src/plan/observed.ts';
import {planUp} from '../../src/plan/up.ts';
import {observed, project, upInput} from './fixtures.ts';
import {formatPlan} from './format.ts';
import {applyPlan, type Choose} from './world.ts';

const names = ['a', 'b', 'c', 'd'] as const;
const resources = ['x', 'y'] as const;

const dependency = fc.record({
  condition: fc.constantFrom(
    'service_started' as const,
    'service_healthy' as const,
    'service_completed_successfully' as const,
  ),
  restart: fc.boolean(),
  required: fc.constant(true),
});

/** A service that depends on some of those before it. */
function service(index: number): fc.Arbitrary<Partial<Service>> {
  return fc
    .record({
      present: fc.boolean(),
      image: fc.constantFrom('one', 'two'),
      other: fc.boolean(),
      user: fc.constantFrom('0', '1'),
      scale: fc.integer({min: 0, max: 3}),
      networks: fc.subarray([...resources]),
      volumes: fc.subarray([...resources]),
      depends: fc.subarray(names.slice(0, index)),
      dependency,
      hooks: fc.tuple(fc.nat({max: 2}), fc.nat({max: 1})),
    })
    .map(({networks, volumes, depends, dependency: how, hooks: [after, before], other, ...rest}) => ({
      ...rest,
      ...(other && {platform: 'linux/arm64'}),
      ...(after > 0 && {post_start: Array.from({length: after}, (_, index) => ({command: ['after', `${index}`]}))}),
      ...(before > 0 && {pre_stop: [{command: ['before']}]}),
      networks: Object.fromEntries(networks.map((key) => [key, null])),
      volumes: volumes.map((source) => ({type: 'volume' as const, source, target: `/${source}`})),
      depends_on: Object.fromEntries(depends.map((name) => [name, how])),
    }));
}

const anyProject: fc.Arbitrary<Project> = fc
  .record({
    services: fc.tuple(...names.map((_, index) => service(index))),
    internal: fc.subarray([...resources]),
    driver: fc.constantFrom('local', 'other'),
  })
  .map(({services, internal, driver}) => {
    const present = names.filter((_, index) => (services[index] as {present?: boolean} | undefined)?.present !== false);
    return project({
      services: Object.fromEntries(
        present.map((name) => {
          const {
            present: _,
            depends_on = {},
            ...rest
          } = services[names.indexOf(name)] as Partial<Service> & {present?: boolean};
          const depends = Object.entries(depends_on).filter(([on]) => present.includes(on as (typeof names)[number]));
          return [name, {...rest, depends_on: Object.fromEntries(depends)}];
        }),
      ),
      networks: Object.fromEntries(resources.map((key) => [key, internal.includes(key) ? {internal: true} : {}])),
      volumes: Object.fromEntries(resources.map((key) => [key, {driver}])),
    });
  });

const images = {one: {id: 'sha256:one', config: {}}, two: {id: 'sha256:two', config: {}}};
const nothing: Observed = observed({images});

/** A world that came about by an `up` which was killed at some moment, and then changed by hand. */
const anyWorld: fc.Arbitrary<Observed> = fc
  .record({
    of: anyProject,
    next: anyProject,
    share: fc.double({min: 0, max: 1, noNaN: true}),
    hands: fc.array(fc.nat({max: 11})),
  })
  .map(({of, next: later, share, hands}) => {
    const full = applyPlan(nothing, planUp(upInput(of, nothing)), of);
    const next = planUp(upInput(later, full, {recreateVolumes: ['shop_x', 'shop_y'], removeOrphans: share > 0.5}));
    const world = applyPlan(full, next, later, {limit: Math.floor(share * next.nodes.length)});
    return hands.reduce(interfere, world);
  });

function interfere(world: Observed, hand: number): Observed {
  const victim = world.containers[hand % Math.max(1, world.containers.length)];
  if (victim === undefined) return world;
  if (hand % 3 === 0) return {...world, containers: world.containers.filter((one) => one !== victim)};
  const status = hand % 3 === 1 ? 'exited' : 'created';
  return {...world, containers: world.containers.map((one) => (one === victim ? {...one, status} : one))};
}

const anyOptions: fc.Arbitrary<UpOptions> = fc.record(
  {
    removeOrphans: fc.boolean(),
    recreateVolumes: fc.subarray(['shop_x', 'shop_y']),
    recreate: fc.constantFrom('diverged' as const, 'never' as const),
  },
  {requiredKeys: []},
);

/** Takes the next node by the numbers of an endless list: every order that the plan allows comes up. */
function chooser(numbers: fc.Stream<number>): Choose {
  return (ready) => {
    const [number = 0] = numbers.take(1);
    const node = ready[number % ready.length];
    if (node === undefined) throw new Error('nothing is ready: the plan has a cycle');
    return node;
  };
}

test('a plan that was carried out, in any order it allows, leaves nothing to plan', () => {
  fc.assert(
    fc.property(
      anyProject,
      anyWorld,
      anyOptions,
      fc.infiniteStream(fc.nat({max: 1000})),
      (of, world, options, numbers) => {
        const plan = planUp(upInput(of, world, options));
        const after = applyPlan(world, plan, of, {choose: chooser(numbers)});
        expect(formatPlan({...planUp(upInput(of, after, options)), notices: [], consents: []})).toBe('');
      },
    ),
    {numRuns: 400},
  );
});

test('an up that was killed at any moment is completed by the next one', () => {
  fc.assert(
    fc.property(
      anyProject,
      anyWorld,
      fc.nat({max: 40}),
      fc.infiniteStream(fc.nat({max: 1000})),
      (of, world, limit, numbers) => {
        const killed = applyPlan(world, planUp(upInput(of, world)), of, {limit, choose: chooser(numbers)});
        const repaired = applyPlan(killed, planUp(upInput(of, killed)), of, {choose: chooser(numbers)});
        expect(formatPlan({...planUp(upInput(of, repaired)), notices: [], consents: []})).toBe('');
        const running = repaired.containers.filter(
          ({status, service: name}) => status === 'running' && Object.hasOwn(of.services, name),
        );
        const wanted = Object.values(of.services).reduce((sum, {scale = 1}) => sum + scale, 0);
        expect(running).toHaveLength(wanted);
      },
    ),
    {numRuns: 400},
  );
});

test('planning does not depend on the order in which things are observed', () => {
  fc.assert(
    fc.property(
      anyProject,
      anyWorld,
      anyOptions,
      fc.infiniteStream(fc.nat({max: 1000})),
      (of, world, options, numbers) => {
        const shuffled: Observed = {
          ...world,
          containers: shuffle(world.containers, numbers),
          networks: shuffle(world.networks, numbers),
          volumes: shuffle(world.volumes, numbers),
        };
        expect(formatPlan(planUp(upInput(of, shuffled, options)))).toBe(
          formatPlan(planUp(upInput(of, world, options))),
        );
        for (const volumes of [true, false]) {
          const down = (of2: Observed) => formatPlan(planDown({project: of, observed: of2, options: {volumes}}));
          expect(down(shuffled)).toBe(down(world));
        }
      },
    ),
    {numRuns: 300},
  );
});

function shuffle<T>(list: readonly T[], numbers: fc.Stream<number>): T[] {
  return list
    .map((item) => [numbers.take(1)[Symbol.iterator]().next().value ?? 0, item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

test('no orphan and no volume is removed unless asked', () => {
  fc.assert(
    fc.property(anyProject, anyWorld, (of, world) => {
      const orphans = new Set<string>(
        world.containers.filter(({service: name}) => !Object.hasOwn(of.services, name)).map(({id}) => id),
      );
      const plans = [planUp(upInput(of, world)), planDown({project: of, observed: world, options: {}})];
      for (const {action} of plans.flatMap(({nodes}) => nodes)) {
        expect(action.kind).not.toBe('removeVolume');
        if (action.kind !== 'removeContainer') continue;
        expect(action.removeAnonymousVolumes).toBe(false);
        expect(action.container.kind === 'existing' && orphans.has(action.container.id)).toBe(false);
      }
    }),
    {numRuns: 300},
  );
});

test('down with everything leaves nothing, in any order the plan allows', () => {
  fc.assert(
    fc.property(anyProject, anyWorld, fc.infiniteStream(fc.nat({max: 1000})), (of, world, numbers) => {
      const plan = planDown({project: undefined, observed: world, options: {volumes: true}});
      const after = applyPlan(world, plan, of, {choose: chooser(numbers)});
      expect([after.containers, after.networks, after.volumes]).toEqual([[], [], []]);
    }),
    {numRuns: 200},
  );
});
