import type {ContainerContext} from './context.ts';
import type {ContainerRecord} from './record.ts';

/** Fills new volumes with what the image has at their places, at creation as Docker does. */
export async function fillVolumes(context: ContainerContext, record: ContainerRecord): Promise<void> {
  const wanted = record.mounts.flatMap((mount) => (mount.kind === 'volume' && mount.copy ? [mount] : []));
  if (wanted.length === 0) return;
  const {lowers} = await context.images.root(record.image);
  if (lowers.length === 0) return;
  for (const {name, target, subpath = ''} of wanted) {
    await using volume = await context.volumes.use(name);
    await using lock = await context.helper.lock(context.layout.locks.volume(name));
    void lock;
    await context.helper.request({kind: 'copyUp', destination: volume.directory, subpath, target, lowers});
  }
}
