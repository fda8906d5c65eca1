import type {CliContext} from '../context.ts';
import {inspectEach, keyValues, labelText, listOf, withEachName} from '../engine-resources.ts';
import {readFilters} from '../image-name.ts';
import type {ResourceInput} from '../resource-flags.ts';
import {withEngine} from '../session.ts';
import {checkCount} from '../wrong-use.ts';

/** Prints its name, as Docker does. */
export function runVolumeCreate(
  context: CliContext,
  {args, flags}: ResourceInput<'engine volume create'>,
): Promise<number> {
  const [Name = ''] = checkCount(args, {least: 1, usage: 'engine volume create [OPTIONS] VOLUME'});
  return withEngine(context, async (docker) => {
    const volume = await docker.createVolume({
      Name,
      Driver: flags.driver ?? 'local',
      DriverOpts: keyValues(flags.opt),
      Labels: keyValues(flags.label),
    });
    context.stdout.write(`${volume.Name}\n`);
    return 0;
  });
}

const titles = {
  ...{Availability: 'AVAILABILITY', Driver: 'DRIVER', Group: 'GROUP', Labels: 'LABELS', Links: 'LINKS'},
  ...{Mountpoint: 'MOUNTPOINT', Name: 'VOLUME NAME', Scope: 'SCOPE', Size: 'SIZE', Status: 'STATUS'},
} as const;

/** Of swarm, or too much to be measured for a list. */
const notTold = {Availability: 'N/A', Group: 'N/A', Links: 'N/A', Size: 'N/A', Status: 'N/A'} as const;

export function runVolumeList(context: CliContext, {args, flags}: ResourceInput<'engine volume ls'>): Promise<number> {
  checkCount(args, {least: 0, usage: 'engine volume ls [OPTIONS]'});
  const list = {flags, titles, columns: ['Driver', 'Name'], quiet: 'Name'} as const;
  return listOf(context, list, async (docker) => {
    const {Volumes} = await docker.listVolumes({filters: readFilters(flags.filter)});
    return [...(Volumes ?? [])]
      .sort((a, b) => (a.Name < b.Name ? -1 : 1))
      .map(({Driver, Labels, Mountpoint, Name, Scope}) => ({
        ...notTold,
        ...{Driver, Labels: labelText(Labels), Mountpoint, Name, Scope},
      }));
  });
}

export function runVolumeInspect(
  context: CliContext,
  {args, flags: {format}}: ResourceInput<'engine volume inspect'>,
): Promise<number> {
  return inspectEach(context, {names: args, usage: 'engine volume inspect VOLUME...', format}, (docker, name) =>
    docker.getVolume(name).inspect(),
  );
}

export function runVolumeRemove(
  context: CliContext,
  {args, flags}: ResourceInput<'engine volume rm'>,
): Promise<number> {
  return withEngine(context, (docker) =>
    withEachName(context, {names: args, usage: 'engine volume rm VOLUME...'}, async (name) => {
      await docker.getVolume(name).remove({force: flags.force});
      context.stdout.write(`${name}\n`);
    }),
  );
}
