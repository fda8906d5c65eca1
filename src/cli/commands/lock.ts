import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {familiarReference} from '../../engine/image/reference.ts';
import type {Project} from '../../model/types.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {type Lock, type LockPlace, lockPlace, lockText, readLock, writeLock} from '../lock/lock-file.ts';
import {resolveAll} from '../lock/resolve-all.ts';
import {type WantedImages, wantedImages} from '../lock/wanted-images.ts';
import {loadStack, withEngine} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

export async function runLock(context: CliContext, {args, flags}: Input<'lock'>): Promise<number> {
  refuseFlags(flags, args);
  const project = await loadStack(context, {allProfiles: true});
  const place = lockPlace(context, project, flags['lock-file']);
  const before = await readLock(place);
  const wanted = await wantedImages(context, project);
  if (flags.check) return check(context, {place, before, wanted});
  return withEngine(context, async (docker) => {
    for (const name of wanted.unread) context.stderr.write(`note: ${unreadText(name)}\n`);
    const named = args.length === 0 ? wanted : await wantedImages(context, onlyServices(project, args));
    const kept = before?.images ?? new Map<string, string>();
    // Those of other services stay as they are; what no service wants any more goes.
    const asked = [...wanted.images.values()].filter(
      ({reference}) => named.images.has(reference) || !kept.has(reference),
    );
    const found = await resolveAll(context, docker, {project, asked});
    const images = new Map(
      [...wanted.images.keys()].map((name) => [name, found.get(name) ?? kept.get(name) ?? ''] as const),
    );
    const changes = changesOf(kept, images);
    for (const line of changes) context.stdout.write(`${line}\n`);
    if (flags.outdated) return changes.length > 0 ? exitCodes.planHasChanges : exitCodes.success;
    await writeLock(place, lockText({images, builds: wanted.builds}));
    context.stderr.write(`wrote ${place.shown}: ${count(images.size)}\n`);
    return exitCodes.success;
  });
}

/** The file is for the whole stack, and only registries are asked for some of it. */
function refuseFlags({check, outdated}: Input<'lock'>['flags'], services: readonly string[]): void {
  if (check && outdated) throw wrongUse('--check and --outdated cannot be given together', 'ask for one of them');
  if (check && services.length > 0) throw wrongUse('--check takes no services', 'it is for the whole stack');
}

function unreadText(service: string): string {
  return `service "${service}": its Dockerfile comes with its context, so that what it is built upon is not locked`;
}

function onlyServices(project: Project, names: readonly string[]): Project {
  const services = names.map((name) => {
    const service = project.services[name];
    if (service === undefined) throw new TscomposeError('notFound', `no such service: "${name}"`);
    return [name, service] as const;
  });
  const others = Object.entries(project.services).filter(([name]) => !names.includes(name));
  return {
    ...project,
    services: Object.fromEntries(services),
    disabledServices: {...project.disabledServices, ...Object.fromEntries(others)},
  };
}

/** Nobody is asked: whether the file is the one for this stack. */
function check(
  context: CliContext,
  {
    place,
    before,
    wanted,
  }: {readonly place: LockPlace; readonly before: Lock | undefined; readonly wanted: WantedImages},
): number {
  const known = before?.images ?? new Map<string, string>();
  const missing = [...wanted.images.keys()].filter((name) => !known.has(name)).map(familiarReference);
  const superfluous = [...known.keys()].filter((name) => !wanted.images.has(name)).map(familiarReference);
  const lines = [
    ...(before === undefined ? [`${place.shown}: is not there`] : []),
    ...missing.sort().map((name) => `${place.shown}: ${name} is missing`),
    ...superfluous.sort().map((name) => `${place.shown}: ${name} is not part of the stack`),
  ];
  if (lines.length === 0) return exitCodes.success;
  context.stderr.write(`${lines.join('\n')}\nhint: write it anew: tscompose lock\n`);
  return exitCodes.planHasChanges;
}

function changesOf(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort();
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now) return [];
    const shown = familiarReference(name);
    if (old === undefined) return [`+ ${shown} ${now}`];
    return now === undefined ? [`- ${shown} ${old}`] : [`~ ${shown} ${old} → ${now}`];
  });
}

function count(images: number): string {
  return images === 1 ? '1 image' : `${images} images`;
}
