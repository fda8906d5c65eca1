import type {BuildCacheTarget} from '../../../api/types/build-cache.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {parseReference} from '../../image/reference.ts';
import {putManifest} from '../../registry/put-manifest.ts';
import {uploadBlob} from '../../registry/upload.ts';
import {authFor} from '../auth-for.ts';
import type {BuildRequest, BuildWork} from '../context.ts';
import type {CacheWriter} from './targets.ts';

type Target = Extract<BuildCacheTarget, {readonly kind: 'registry'}>;

/** A tag of a registry: the cache that it stood for is replaced. */
export async function openRegistryTarget(
  context: BuildWork,
  {reference}: Target,
  {request, signal}: {readonly request: Pick<BuildRequest, 'auths' | 'client'>; readonly signal: AbortSignal},
): Promise<CacheWriter> {
  const {registry, repository, tag = 'latest', digest} = parseReference(reference);
  if (digest !== undefined) throw new TscomposeError('invalid', 'a cache is kept under a tag, and not under a digest');
  const [connection] = await context.reach(registry, 'push', await authFor(reference, request));
  if (connection === undefined) throw new TscomposeError('internal', `registry ${registry} has no address`);
  return {
    async put(descriptor, read) {
      await uploadBlob(connection, {repository, descriptor, read, signal});
    },
    async finish(manifest) {
      await putManifest(connection, {repository, reference: tag, manifest, signal});
    },
  };
}
