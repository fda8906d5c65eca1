import type {Builds} from '../engine.ts';
import type {BuildContext} from './context.ts';
import type {HostEnvironment} from './fetch/git-environment.ts';
import {type FetchLimits, fetchLimits} from './fetch/limits.ts';

/** Steps of one build that work at the same time. */
const concurrency = 4;

export interface BuildsOptions extends Omit<BuildContext, 'concurrency' | 'fetching'> {
  /** Of the process: for git, which fetches repositories. */
  readonly environment?: HostEnvironment | undefined;
  /** How much builds fetch. */
  readonly limits?: FetchLimits | undefined;
}

/** The builder's code is loaded when something is built. */
export function createBuilds(given: BuildsOptions): Builds {
  const {environment = {}, limits = fetchLimits, ...rest} = given;
  const context = {...rest, fetching: {environment, limits}};
  return {
    async *build(body, signal) {
      const {buildImage} = await import('./build.ts');
      yield* buildImage({...context, concurrency}, body, signal);
    },
    async *buildFor(body, client, signal) {
      const {buildImage} = await import('./build.ts');
      yield* buildImage({...context, concurrency}, {...body, client}, signal);
    },
    async openScratch() {
      const {openRunDirectory} = await import('./run-directory.ts');
      return await openRunDirectory({...context, concurrency});
    },
    async *buildArchive(body, archive, {client, signal} = {}) {
      const {buildArchive} = await import('./build.ts');
      const request = client === undefined ? body : {...body, client};
      yield* buildArchive({...context, concurrency}, request, {archive, ...(signal && {signal})});
    },
    async prune(options) {
      const {pruneBuilds} = await import('./prune.ts');
      return await pruneBuilds({...context, concurrency}, options);
    },
    async *exportMount(id, signal) {
      const {exportMount} = await import('./mount-archive.ts');
      yield* exportMount({...context, concurrency}, id, signal);
    },
    async importMount(id, archive, signal) {
      const {importMount} = await import('./mount-archive.ts');
      await importMount({...context, concurrency}, id, {archive, signal});
    },
    async usage() {
      const {listRows} = await import('./rows.ts');
      return (await listRows(context)).map(({row}) => row);
    },
  };
}
