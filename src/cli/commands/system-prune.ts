import type {Docker} from '../../client/docker.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {readFilters} from '../image-name.ts';
import {askOnTerminal} from '../question.ts';
import {withEngine} from '../session.ts';
import {usedSize} from '../size.ts';
import {wrongUse} from '../wrong-use.ts';

type Flags = Input<'engine system prune'>['flags'];

interface Pruned {
  readonly title: string;
  readonly lines: readonly string[];
  readonly bytes: number;
}

/** Containers first: what only they use goes with them. */
export async function runSystemPrune(context: CliContext, {flags}: Input<'engine system prune'>): Promise<number> {
  const filters = readFilters(flags.filter);
  if (flags.volumes && filters['until'] !== undefined)
    throw wrongUse('the filter "until" and --volumes cannot go together: volumes are kept as long as they are wanted');
  if (!flags.force && !(await confirm(context, flags))) return 0;
  return await withEngine(context, async (docker) => {
    let bytes = 0;
    for await (const pruned of prune(docker, flags, filters)) {
      bytes += pruned.bytes;
      if (pruned.lines.length > 0) context.stdout.write(`Deleted ${pruned.title}:\n${pruned.lines.join('\n')}\n\n`);
    }
    context.stdout.write(`Total reclaimed space: ${usedSize(bytes)}\n`);
    return 0;
  });
}

async function* prune(docker: Docker, flags: Flags, filters: ReturnType<typeof readFilters>): AsyncGenerator<Pruned> {
  const containers = await docker.pruneContainers({filters});
  yield {title: 'Containers', lines: containers.ContainersDeleted ?? [], bytes: containers.SpaceReclaimed};
  const networks = await docker.pruneNetworks({filters});
  yield {title: 'Networks', lines: networks.NetworksDeleted ?? [], bytes: 0};
  if (flags.volumes) {
    const volumes = await docker.pruneVolumes({filters});
    yield {title: 'Volumes', lines: volumes.VolumesDeleted, bytes: volumes.SpaceReclaimed};
  }
  const images = await docker.pruneImages({filters: {...filters, dangling: [flags.all ? 'false' : 'true']}});
  const names = (images.ImagesDeleted ?? []).map(({Untagged, Deleted}) =>
    Deleted === undefined ? `untagged: ${Untagged}` : `deleted: ${Deleted}`,
  );
  yield {title: 'Images', lines: names, bytes: images.SpaceReclaimed};
  // Results of builds have no labels.
  const {until} = filters;
  if (Object.keys(filters).some((key) => key !== 'until')) return;
  const builds = await docker.pruneBuilder({all: flags.all, filters: until === undefined ? {} : {until}});
  yield {title: 'build cache objects', lines: builds.CachesDeleted ?? [], bytes: builds.SpaceReclaimed};
}

async function confirm(context: CliContext, {all, volumes}: Flags): Promise<boolean> {
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true)
    throw wrongUse('nobody can be asked whether to remove what is not used', 'add --force');
  const what = [
    'all containers that have ended',
    'all networks that no container is on',
    ...(volumes ? ['all anonymous volumes that no container uses'] : []),
    all ? 'all images that no container uses' : 'all images that have no name and that no container uses',
    all ? 'all that builds keep, cache mounts too' : 'what builds keep and no image is made of',
  ];
  return await askOnTerminal(context, `This removes ${what.slice(0, -1).join(', ')} and ${what.at(-1)}. Go on?`);
}
