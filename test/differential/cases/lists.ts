import type {Filters} from '../../../src/api/types/system.ts';
import {hasKind} from '../../../src/base/errors.ts';
import {eventually} from '../../support/host.ts';
import type {Cases, Step, World} from '../case.ts';
import {linesOf, shapeOf} from '../lines.ts';
import {ask, create, pause, run, running, start} from '../steps.ts';
import {network} from './networks.ts';
import {volume} from './volumes.ts';

type Options = {readonly all?: boolean; readonly limit?: number};

/** Names of those that are found, in their order, among the case's own. */
const containers = (filters: Filters, options: Options = {all: true}): Step =>
  ask(`list ${JSON.stringify({...filters, ...options})}`, async (world) => {
    const found = await world.bench.docker.listContainers({...options, filters: own(world, world.fill(filters))});
    return found.map(({Names}) => Names.join(','));
  });

const own = ({label}: World, filters: Filters): Filters => ({...filters, label: [label, ...(filters['label'] ?? [])]});

const networksFound = (filters: Filters): Step =>
  ask(`networks ${JSON.stringify(filters)}`, async (world) =>
    (await world.bench.docker.listNetworks({filters: own(world, world.fill(filters))}))
      .map(({Name}) => Name)
      .toSorted(),
  );

const volumesFound = (filters: Filters): Step =>
  ask(`volumes ${JSON.stringify(filters)}`, async (world) =>
    (await world.bench.docker.listVolumes({filters: own(world, world.fill(filters))})).Volumes.map(
      ({Name}) => Name,
    ).toSorted(),
  );

/** One of each state, made one after another. */
const several = [
  create({Labels: {tier: 'web', made: ''}, ExposedPorts: {'80/tcp': {}}}, 'made'),
  run({Cmd: ['true'], Labels: {tier: 'db'}}, 'ended'),
  run({Cmd: ['false'], Image: 'labels'}, 'failed'),
  running({Labels: {tier: 'web'}, HostConfig: {Binds: ['@data:/x']}}, 'busy'),
  running({}, 'frozen'),
  pause('frozen'),
].flat();

export const lists: Cases = {
  'of containers': [
    several,
    containers({}),
    containers({}, {all: false}),
    containers({}, {limit: 2}),
    containers({}, {limit: -1}),
  ],
  'by state': [
    several,
    ...['created', 'running', 'paused', 'exited', 'restarting', 'dead', 'removing'].map((one) =>
      containers({status: [one]}),
    ),
    containers({status: ['created', 'paused']}),
    containers({status: ['no-such']}),
  ],
  'by exit code': [several, containers({exited: ['0']}), containers({exited: ['1', '0']}), containers({exited: ['x']})],
  'by label': [
    several,
    containers({label: ['tier']}),
    containers({label: ['tier=web']}),
    containers({label: ['tier=web', 'made']}),
    containers({label: ['tier=']}),
    containers({label: ['from=image']}),
  ],
  'by name': [
    several,
    containers({name: ['@made']}),
    containers({name: ['ed$']}),
    containers({name: ['^/@busy$']}),
    containers({name: ['@made', '@busy']}),
    containers({name: ['[']}),
  ],
  'by id': [several, containers({id: ['no-such']})],
  'by place among others': [
    several,
    containers({before: ['@failed']}),
    containers({since: ['@failed']}),
    containers({since: ['@missing']}),
  ],
  'by volume and network': [
    several,
    containers({volume: ['@data']}),
    containers({volume: ['/x']}),
    containers({network: ['none']}),
    containers({network: ['no-such']}),
  ],
  'by port': [several, containers({expose: ['80']}), containers({expose: ['80/udp']}), containers({publish: ['80']})],
  'by health': [
    create({Healthcheck: {Test: ['CMD', 'true'], Interval: 3_600_000_000_000}, Cmd: ['sleep', '1000']}),
    start(),
    containers({health: ['starting']}),
    containers({health: ['healthy']}),
    containers({health: ['none']}),
  ],
  'by what there is not': [containers({'no-such': ['x']}), containers({'is-task': ['true']})],
  'of networks': [
    network({Name: '@one', Labels: {a: 'b'}, IPAM: {Config: [{Subnet: '10.187.20.0/24'}]}}),
    network({Name: '@two', Internal: true, IPAM: {Config: [{Subnet: '10.187.21.0/24'}]}}),
    networksFound({}),
    networksFound({name: ['one']}),
    networksFound({name: ['@two']}),
    networksFound({driver: ['bridge']}),
    networksFound({driver: ['host']}),
    networksFound({type: ['custom']}),
    networksFound({type: ['builtin']}),
    networksFound({scope: ['local']}),
    networksFound({dangling: ['true']}),
    networksFound({label: ['a=b']}),
    networksFound({'no-such': ['x']}),
  ],
  'of volumes': [
    volume({Name: '@one', Labels: {a: 'b'}}),
    volume({Name: '@two'}),
    create({HostConfig: {Binds: ['@two:/x']}}),
    volumesFound({}),
    volumesFound({name: ['one']}),
    volumesFound({driver: ['local']}),
    volumesFound({driver: ['no-such']}),
    volumesFound({dangling: ['true']}),
    volumesFound({dangling: ['false']}),
    volumesFound({label: ['a']}),
    volumesFound({'no-such': ['x']}),
  ],
};

const prune = (kind: 'containers' | 'networks' | 'volumes', filters: Filters = {}): Step =>
  ask(`prune ${kind} ${JSON.stringify(filters)}`, async (world) => {
    const {docker} = world.bench;
    const asked = {filters: own(world, filters)};
    const pruned = {
      containers: () => docker.pruneContainers(asked),
      networks: () => docker.pruneNetworks(asked),
      volumes: () => docker.pruneVolumes(asked),
    };
    return linesOf(sorted(await whenFree(pruned[kind]), world.portable));
  });

/** Docker does one of a kind at a time, and tells others that it does. */
async function whenFree(request: () => Promise<object>): Promise<object> {
  let refused: unknown;
  const answer = await eventually(async (): Promise<object | undefined> => {
    try {
      return await request();
    } catch (error) {
      if (hasKind(error, 'conflict')) throw error;
      refused = error;
      return undefined;
    }
  });
  if (answer === undefined) throw refused;
  return answer;
}

function sorted(answer: object, portable: (text: string) => string): object {
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map((id: string) => portable(id)).toSorted() : value,
    ]),
  );
}

export const prunes: Cases = {
  'containers that do not run': [several, prune('containers'), containers({})],
  'containers with a label': [several, prune('containers', {label: ['tier=db']}), containers({})],
  'containers without a label': [several, prune('containers', {'label!': ['tier']}), containers({})],
  'containers of before': [several, prune('containers', {until: ['1h']}), containers({})],
  'containers of before when': [prune('containers', {until: ['sometime']})],
  'containers by what there is not': [prune('containers', {'no-such': ['x']})],
  'no containers': [prune('containers')],
  'networks that are not used': [
    network({Name: '@one', IPAM: {Config: [{Subnet: '10.187.30.0/24'}]}}),
    prune('networks'),
    networksFound({}),
  ],
  'networks with a label': [
    network({Name: '@one', Labels: {a: 'b'}, IPAM: {Config: [{Subnet: '10.187.32.0/24'}]}}),
    network({Name: '@two', IPAM: {Config: [{Subnet: '10.187.33.0/24'}]}}),
    prune('networks', {label: ['a=b']}),
    networksFound({}),
  ],
  'no networks': [prune('networks')],
  'volumes that have a name': [volume({Name: '@one'}), prune('volumes'), volumesFound({})],
  'volumes of all kinds': [
    volume({Name: '@one'}),
    volume({Name: '@two'}),
    create({HostConfig: {Binds: ['@two:/x']}}),
    prune('volumes', {all: ['true']}),
    volumesFound({}),
  ],
  'anonymous volumes': [volume({}), prune('volumes')],
  'volumes by what there is not': [prune('volumes', {'no-such': ['x']})],
};

export const system: Cases = {
  'a sign of life': [ask('ping', async ({bench}) => [await bench.docker.ping()])],
  'its version': [
    ask('version', async ({bench}) => {
      const {Os, Arch, KernelVersion} = await bench.docker.version();
      return linesOf({Os, Arch, KernelVersion: KernelVersion === '' ? '' : '<version>'});
    }),
  ],
  'what it is': [ask('info', async ({bench}) => shapeOf(await bench.docker.info()))],
  'what it says of its machine': [
    ask('info', async ({bench}) => {
      const {OSType, Architecture, NCPU, MemoryLimit, SwapLimit, PidsLimit, CPUSet, CPUShares, CpuCfsQuota, Swarm} =
        await bench.docker.info();
      return linesOf({
        OSType,
        Architecture,
        NCPU,
        MemoryLimit,
        SwapLimit,
        PidsLimit,
        CPUSet,
        CPUShares,
        CpuCfsQuota,
        Swarm,
      });
    }),
  ],
  'an image': [
    ask('inspect', async ({bench}) => {
      const {Config, Os, Architecture, RepoTags, RepoDigests, RootFS} = await bench.docker
        .getImage(await bench.image('labels'))
        .inspect();
      return linesOf({Config, Os, Architecture, RepoTags, RepoDigests, RootFS});
    }),
  ],
  'an image of many words': [
    ask('inspect', async ({bench}) => {
      const names = [
        'entry',
        'shell',
        'shell-entry',
        'environment',
        'user',
        'directory',
        'ports',
        'volume',
        'health',
      ] as const;
      const lines: string[] = [];
      for (const name of names)
        lines.push(...linesOf({[name]: (await bench.docker.getImage(await bench.image(name)).inspect()).Config}));
      return lines;
    }),
  ],
  'an image in a list': [
    ask('list', async ({bench}) => {
      const reference = await bench.image('labels');
      const [found] = await bench.docker.listImages({filters: {reference: [reference]}});
      return linesOf({
        ...found,
        Created: '<time>',
        Size: '<bytes>',
        SharedSize: found?.SharedSize === -1 ? -1 : 'known',
      });
    }),
  ],
  'an image gets a second name': [
    ask('tag', async ({bench, fill}) => {
      const image = bench.docker.getImage(await bench.image('ports'));
      const repo = `tscompose-test/${fill('@again')}`;
      await image.tag({repo, tag: 'two'});
      const {RepoTags} = await image.inspect();
      const removed = await bench.docker.getImage(`${repo}:two`).remove();
      return [...RepoTags, ...linesOf(removed, 'removed')];
    }),
    ask('tag of no name', async ({bench}) => {
      await bench.docker.getImage(await bench.image('ports')).tag({repo: 'Not A Name'});
    }),
  ],
  'what takes up space': [ask('df', async ({bench}) => Object.keys(await bench.docker.df()).sort())],
};
