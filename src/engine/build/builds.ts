import type {Builds} from '../engine.ts';
import type {BuildContext} from './context.ts';

/** Steps of one build that work at the same time. */
const concurrency = 4;

/** The builder's code is loaded when something is built. */
export function createBuilds(context: Omit<BuildContext, 'concurrency'>): Builds {
  return {
    async *build(body, signal) {
      const {buildImage} = await import('./build.ts');
      yield* buildImage({...context, concurrency}, body, signal);
    },
    async *buildArchive(body, archive, signal) {
      const {buildArchive} = await import('./build.ts');
      yield* buildArchive({...context, concurrency}, body, {archive, ...(signal && {signal})});
    },
    async prune(options) {
      const {pruneBuilds} = await import('./prune.ts');
      return await pruneBuilds({...context, concurrency}, options);
    },
  };
}
