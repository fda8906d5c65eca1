import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import type {EngineEvent} from '../../../src/api/types/system.ts';
import type {ErrorKind} from '../../../src/base/errors.ts';
import type {Engine} from '../../../src/engine/engine.ts';
import type {TestHost} from '../../support/host.ts';
import {imageArchive} from '../../support/test-images.ts';
import {type Call, perform} from './calls.ts';

/** An operation that is interrupted everywhere. */
export interface FaultCase {
  readonly name: string;
  /** What it needs, made without a fault. */
  readonly before?: readonly Call[];
  readonly calls: readonly Call[];
  /** What doing it again may answer, besides success: it was done already, or what it is about is gone. */
  readonly again: readonly ErrorKind[];
  /** What must be true in between: as before, or as afterwards; `done`: it was acknowledged. */
  readonly between?: (engine: Engine, done: boolean) => Promise<void>;
  /** What must be true once it was done again. */
  readonly after?: (engine: Engine, host: TestHost) => Promise<void>;
  /** What the journal must say by then, as long as it could be written. */
  readonly told?: (engine: Engine) => Promise<void>;
  /** Takes everything away; what is not there is passed over. */
  readonly restore: readonly Call[];
}

const body = {
  Image: 'busybox',
  Cmd: ['sleep', '100000'],
  Volumes: {'/anonymous': {}},
  ExposedPorts: {'80/tcp': {}},
  HostConfig: {
    Init: true,
    NetworkMode: 'before',
    Binds: ['named:/data'],
    PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: ''}]},
    TscomposeFiles: [{Target: '/secret', Content: 'c2VjcmV0', Uid: 0, Gid: 0, Mode: 0o400}],
  },
};

const create: Call = ['containers', 'create', body, {name: 'victim'}];
const start: Call = ['containers', 'start', 'victim'];
const stop: Call = ['containers', 'stop', 'victim', {timeoutSeconds: 1}];
const pause: Call = ['containers', 'pause', 'victim'];
const away: readonly Call[] = [
  ['containers', 'remove', 'victim', {force: true, volumes: true}],
  ['containers', 'remove', 'renamed', {force: true, volumes: true}],
  ['volumes', 'remove', 'named'],
];

const isRunning = (running: boolean) => async (engine: Engine) => {
  expect((await engine.containers.inspect('victim')).State.Running).toBe(running);
};

const exists = async (engine: Engine, name: string) =>
  (await engine.containers.list({all: true})).some(({Names}) => Names.includes(`/${name}`));

/** A container whose monitor was killed is not running any more, and is told to have ended. */
const runsOrWasLost = async (engine: Engine) => {
  const {State} = await engine.containers.inspect('victim');
  if (!State.Running) expect([State.ExitCode, State.Error]).toEqual([137, 'monitor lost']);
};

async function actionsOf(engine: Engine, name: string): Promise<readonly string[]> {
  const events = (await perform(engine, ['system', 'events'])) as readonly EngineEvent[];
  return events.filter(({Actor}) => Actor.Attributes['name'] === name).map(({Action}) => Action);
}

const count = (actions: readonly string[], wanted: string) => actions.filter((action) => action === wanted).length;

/** Of the store of images nothing is broken, whenever it is looked at. */
const storeIsWhole = async (engine: Engine) => {
  const {faults} = await engine.images.check({repair: false});
  expect(faults).toEqual([]);
};
/** And after a prune nothing is there that nobody needs. */
const storeIsClean = async (engine: Engine) => {
  expect(await engine.images.check({repair: false})).toMatchObject({faults: [], waste: 0});
};
const loadQuick: Call = ['images', 'load', {path: imageArchive('quick')}];

export const faultCases: readonly FaultCase[] = [
  {
    name: 'create',
    calls: [create],
    again: ['conflict'],
    between: async (engine, done) => {
      const there = await exists(engine, 'victim');
      if (done) expect(there).toBe(true);
      if (there) expect((await engine.containers.inspect('victim')).State.Status).toBe('created');
    },
    after: isRunning(false),
    restore: away,
  },
  {
    name: 'start',
    before: [create],
    calls: [start],
    again: ['notModified'],
    after: isRunning(true),
    restore: away,
  },
  {
    name: 'stop',
    before: [create, start],
    calls: [stop],
    again: ['notModified'],
    between: async (engine, done) => {
      if (done) await isRunning(false)(engine);
    },
    after: isRunning(false),
    restore: away,
  },
  {
    name: 'restart',
    before: [create, start],
    calls: [['containers', 'restart', 'victim', {timeoutSeconds: 1}]],
    again: [],
    after: isRunning(true),
    restore: away,
  },
  {
    name: 'kill',
    before: [create, start],
    calls: [['containers', 'kill', 'victim']],
    again: ['conflict'],
    after: (engine) => expect.poll(async () => (await engine.containers.inspect('victim')).State.Running).toBe(false),
    restore: away,
  },
  {
    name: 'remove',
    before: [create, start],
    calls: [['containers', 'remove', 'victim', {force: true, volumes: true}]],
    again: ['notFound'],
    between: async (engine, done) => {
      if (done) expect(await exists(engine, 'victim')).toBe(false);
    },
    after: async (engine) => expect(await exists(engine, 'victim')).toBe(false),
    told: async (engine) => {
      const actions = await actionsOf(engine, 'victim');
      // Twice where it was told just before; never less.
      expect(count(actions, 'destroy')).toBeGreaterThanOrEqual(count(actions, 'create'));
    },
    restore: away,
  },
  {
    name: 'pause',
    before: [create, start],
    calls: [pause],
    again: ['conflict'],
    between: runsOrWasLost,
    restore: away,
  },
  {
    name: 'unpause',
    before: [create, start, pause],
    calls: [['containers', 'unpause', 'victim']],
    again: ['conflict'],
    between: runsOrWasLost,
    restore: away,
  },
  {
    name: 'commit',
    before: [create, start],
    calls: [['containers', 'commit', 'victim', {repository: 'committed'}]],
    again: [],
    between: async (engine) => {
      await runsOrWasLost(engine);
      expect((await engine.containers.inspect('victim')).State.Paused).toBe(false);
    },
    after: async (engine) => expect((await engine.images.inspect('committed')).Os).toBe('linux'),
    restore: [...away, ['images', 'remove', 'committed'], ['images', 'prune']],
  },
  {
    name: 'update',
    before: [create, start],
    calls: [
      ['containers', 'update', 'victim', {PidsLimit: 77, RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 3}}],
    ],
    again: [],
    between: async (engine, done) => {
      const {PidsLimit, RestartPolicy} = (await engine.containers.inspect('victim')).HostConfig;
      const whole = [PidsLimit ?? null, RestartPolicy?.Name];
      if (done) expect(whole).toEqual([77, 'on-failure']);
      else
        expect([
          [77, 'on-failure'],
          [null, 'no'],
        ]).toContainEqual(whole);
    },
    after: async (engine) => expect((await engine.containers.inspect('victim')).HostConfig.PidsLimit).toBe(77),
    restore: away,
  },
  {
    name: 'rename',
    before: [create, start],
    calls: [['containers', 'rename', 'victim', 'renamed']],
    again: ['notFound'],
    between: async (engine, done) => {
      const names = [await exists(engine, 'victim'), await exists(engine, 'renamed')];
      if (done) expect(names).toEqual([false, true]);
      else expect(names.filter(Boolean).length).toBe(1);
    },
    after: async (engine) => expect((await engine.containers.inspect('renamed')).Name).toBe('/renamed'),
    restore: away,
  },
  {
    name: 'exec',
    before: [create, start],
    calls: [['execs', 'start', 'victim', ['echo', 'hello']]],
    again: ['conflict'],
    between: runsOrWasLost,
    restore: away,
  },
  {
    name: 'sync',
    before: [create, start],
    calls: [['containers', 'sync', 'victim', {path: '/root'}, {archive: {one: '1', two: '2'}}]],
    again: [],
    after: async (engine, host) => {
      // In the order of their making, as nothing half-made is left beside them.
      const {text} = (await perform(engine, ['execs', 'start', 'victim', ['ls', '-A', '/root']])) as {text: string};
      expect(text).toBe('one\ntwo\n');
      const {Id} = await engine.containers.inspect('victim');
      const files = readdirSync(join(host.root, 'containers', Id));
      expect(files.filter((file) => /^(\.tmp-)?sync[-.]/.test(file))).toEqual([]);
    },
    restore: away,
  },
  {
    name: 'create a network',
    calls: [['networks', 'create', {Name: 'new', Driver: 'bridge', EnableIPv6: true}]],
    again: ['conflict'],
    after: async (engine) => expect((await engine.networks.inspect('new')).Name).toBe('new'),
    restore: [['networks', 'remove', 'new']],
  },
  {
    name: 'remove a network',
    before: [['networks', 'create', {Name: 'new'}]],
    calls: [['networks', 'remove', 'new']],
    again: ['notFound'],
    restore: [['networks', 'remove', 'new']],
  },
  {
    name: 'create a volume',
    calls: [['volumes', 'create', {Name: 'new'}]],
    again: [],
    after: async (engine) => expect((await engine.volumes.inspect('new')).Name).toBe('new'),
    restore: [['volumes', 'remove', 'new']],
  },
  {
    name: 'remove a volume',
    before: [['volumes', 'create', {Name: 'new'}]],
    calls: [['volumes', 'remove', 'new']],
    again: ['notFound'],
    restore: [['volumes', 'remove', 'new']],
  },
  {
    name: 'prune',
    before: [create, ['networks', 'create', {Name: 'new'}], ['volumes', 'create', {Name: 'new'}]],
    calls: [
      ['containers', 'prune'],
      ['networks', 'prune'],
      ['volumes', 'prune', {all: ['true']}],
    ],
    again: [],
    after: async (engine) => {
      expect(await exists(engine, 'victim')).toBe(false);
      expect((await engine.volumes.list()).map(({Name}) => Name)).toEqual(['kept']);
    },
    restore: [...away, ['networks', 'remove', 'new'], ['volumes', 'remove', 'new']],
  },
  {
    name: 'load an image',
    calls: [loadQuick],
    again: [],
    between: async (engine, done) => {
      await storeIsWhole(engine);
      if (done) expect((await engine.images.inspect('quick')).Os).toBe('linux');
    },
    after: async (engine) => {
      expect((await engine.images.inspect('quick')).Os).toBe('linux');
      await storeIsClean(engine);
    },
    restore: [['images', 'remove', 'quick']],
  },
  {
    name: 'remove an image',
    before: [loadQuick],
    calls: [['images', 'remove', 'quick']],
    again: ['notFound'],
    between: storeIsWhole,
    // Between its name and the rest it is an image without a name.
    restore: [
      ['images', 'remove', 'quick'],
      ['images', 'prune'],
    ],
  },
  {
    name: 'prune images',
    before: [loadQuick],
    calls: [['images', 'prune', {dangling: ['false']}]],
    again: [],
    between: storeIsWhole,
    after: async (engine) => {
      await expect(engine.images.inspect('quick')).rejects.toMatchObject({kind: 'notFound'});
      await storeIsClean(engine);
    },
    restore: [],
  },
  {
    name: 'save an image',
    before: [loadQuick],
    calls: [['images', 'save', ['quick']]],
    again: [],
    between: storeIsWhole,
    after: storeIsClean,
    restore: [['images', 'remove', 'quick']],
  },
  {
    name: 'events',
    before: [create],
    calls: [['system', 'events']],
    again: [],
    after: async (engine) => expect(await actionsOf(engine, 'victim')).toContain('create'),
    restore: away,
  },
];
