import type {HostedBlob} from './blob.ts';
import type {Asked, Hosting} from './hosting.ts';
import type {Mirror} from './mirror.ts';
import {hubName, type MirroredName, mirroredName} from './mirror-names.ts';

/**
 * Adds copies of other registries to what is here: under a repository's name with its registry in front, and of Docker's own
 * registry also without, as clients ask its mirrors. What was pushed here is never looked for elsewhere. A mirror that asks
 * itself gets nothing: what is here would be taken for what the other registry has, and it would wait for the very blob that
 * it is to bring.
 */
export function withMirror(hosting: Hosting, mirror: Mirror, registries: readonly string[]): Hosting {
  const elsewhere = async (repository: string): Promise<MirroredName | undefined> =>
    (await hosting.isHosted(repository)) ? undefined : hubName(repository, registries);

  const findBlob = async (
    repository: string,
    digest: string,
    asked: Pick<Asked, 'via'> & {readonly here: () => Promise<HostedBlob | undefined>},
  ): Promise<HostedBlob | undefined> => {
    if (mirror.hasAsked(asked)) return undefined;
    const copied = mirroredName(repository, registries);
    const found = copied ? await mirror.findBlob(copied, digest, asked) : await asked.here();
    const hub = found || copied ? undefined : await elsewhere(repository);
    return found ?? (hub && (await mirror.findBlob(hub, digest, asked)));
  };

  return {
    ...hosting,
    isCopy: (repository) => mirroredName(repository, registries) !== undefined,

    async findManifest(repository, wanted, asked) {
      if (mirror.hasAsked(asked)) return undefined;
      const copied = mirroredName(repository, registries);
      if (copied) return await mirror.findManifest(copied, wanted, asked);
      const found = await hosting.findManifest(repository, wanted, asked);
      const hub = found ? undefined : await elsewhere(repository);
      return found ?? (hub && (await mirror.findManifest(hub, wanted, asked)));
    },

    findBlob: (repository, digest, asked) =>
      findBlob(repository, digest, {...asked, here: () => hosting.findBlob(repository, digest, asked)}),
    keepBlob: (repository, digest, asked) =>
      findBlob(repository, digest, {...asked, here: () => hosting.keepBlob(repository, digest, asked)}),
    async sweep() {
      await mirror.evict();
      await hosting.sweep();
    },
    close: () => mirror.close(),
  };
}
