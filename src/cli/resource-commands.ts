import {type CommandInput, type CommandRow, defineCommand} from './command.ts';
import type {CliContext} from './context.ts';
import {type ResourceInput, resourceFlags, resourceSummaries} from './resource-flags.ts';

type Run<K extends keyof typeof resourceFlags> = (context: CliContext, input: ResourceInput<K>) => Promise<number>;

function row<K extends keyof typeof resourceFlags>(key: K, run: Run<K>, examples: readonly string[] = []): CommandRow {
  return defineCommand({
    name: key,
    ...resourceSummaries[key],
    flags: resourceFlags[key],
    ...(examples.length > 0 && {examples}),
    run: (context, input) => run(context, input as CommandInput<never> as ResourceInput<K>),
  });
}

const networks = () => import('./commands/engine-network.ts');
const volumes = () => import('./commands/engine-volume.ts');

export const resourceCommands: readonly CommandRow[] = [
  row('engine network create', async (context, input) => (await networks()).runNetworkCreate(context, input), [
    'tscompose engine network create proxy',
    'tscompose engine network create --internal --subnet 10.7.0.0/24 --gateway 10.7.0.254 back',
  ]),
  row('engine network ls', async (context, input) => (await networks()).runNetworkList(context, input)),
  row('engine network inspect', async (context, input) => (await networks()).runNetworkInspect(context, input)),
  row('engine network rm', async (context, input) => (await networks()).runNetworkRemove(context, input)),
  row('engine volume create', async (context, input) => (await volumes()).runVolumeCreate(context, input), [
    'tscompose engine volume create letters',
    'tscompose engine volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch',
  ]),
  row('engine volume ls', async (context, input) => (await volumes()).runVolumeList(context, input)),
  row('engine volume inspect', async (context, input) => (await volumes()).runVolumeInspect(context, input)),
  row('engine volume rm', async (context, input) => (await volumes()).runVolumeRemove(context, input)),
];
