import type {BuildBody} from '../../api/types/build.ts';
import type {CliContext} from '../context.ts';
import {authsForBuild, type TellWarning} from '../credentials.ts';

/** The build with the credentials of whoever runs the command, for the images that it may have to pull and the caches that it uses. */
export async function withAuths(
  context: Pick<CliContext, 'env'>,
  body: BuildBody,
  tell: TellWarning,
): Promise<BuildBody> {
  const images = Object.values(body.contexts).flatMap((source) => (source.kind === 'image' ? [source.reference] : []));
  const caches = [...(body.cacheFrom ?? []), ...(body.cacheTo ?? [])].flatMap((cache) =>
    cache.kind === 'registry' ? [cache.reference] : [],
  );
  const {dockerfile} = body;
  const pinned = Object.values(body.pins ?? {});
  const texts =
    'text' in dockerfile
      ? [dockerfile.text, ...Object.values(body.arguments), ...images, ...caches, ...pinned]
      : undefined;
  return {...body, auths: await authsForBuild(context, texts, tell)};
}
