import type {BuildBody, BuildContextSource} from '../../api/types/build.ts';
import {loadLayoutImage} from '../image/load-layout.ts';
import {formatPlatform, type Platform} from '../image/platform.ts';
import type {BuildWork} from './context.ts';
import {platformsOf} from './platforms-of.ts';

type LayoutSource = Extract<BuildContextSource, {readonly kind: 'layout'}>;

/** Images of OCI layouts, which are in the store for as long as the build holds them. */
export interface LayoutImages {
  /** What a name stands for, for a platform: another image of the same layout where the name came from one; else that name. */
  forPlatform(reference: string, platform: Platform | undefined): Promise<string>;
}

/**
 * Named contexts that are images of OCI layouts become images of the store, by their ids: for the first platform at once, for
 * others when a stage asks for them.
 */
export async function withLayouts(
  work: BuildWork,
  request: BuildBody,
  signal: AbortSignal,
): Promise<{readonly request: BuildBody; readonly layouts: LayoutImages}> {
  const {contexts} = request;
  const [first] = platformsOf(request);
  /** By the id that stands for the context. */
  const sources = new Map<string, LayoutSource>();
  const loaded = new Map<string, Promise<string>>();
  const load = ({path, tag, digest}: LayoutSource, platform: string | undefined): Promise<string> => {
    const wanted = {path, platform, ...(tag === undefined ? {} : {tag}), ...(digest === undefined ? {} : {digest})};
    const key = JSON.stringify(wanted);
    const known = loaded.get(key) ?? bring(work, wanted, signal);
    loaded.set(key, known);
    return known;
  };
  const layouts: LayoutImages = {
    async forPlatform(reference, platform) {
      const source = sources.get(reference);
      return source === undefined || platform === undefined ? reference : await load(source, formatPlatform(platform));
    },
  };
  const entries: [string, BuildContextSource][] = [];
  for (const [name, source] of Object.entries(contexts)) {
    if (source.kind !== 'layout') {
      entries.push([name, source]);
      continue;
    }
    const reference = await load(source, first && formatPlatform(first));
    sources.set(reference, source);
    entries.push([name, {kind: 'image', reference}]);
  }
  return {request: {...request, contexts: Object.fromEntries(entries)}, layouts};
}

async function bring(work: BuildWork, wanted: Parameters<typeof loadLayoutImage>[1], signal: AbortSignal) {
  const reference = await loadLayoutImage(work.images, wanted, signal);
  await work.session.findImage(reference);
  return reference;
}
