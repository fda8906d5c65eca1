import type {BuildBody, BuildContextSource} from '../../api/types/build.ts';
import {loadLayoutImage} from '../image/load-layout.ts';
import type {BuildWork} from './context.ts';

/**
 * Named contexts that are images of OCI layouts become images of the store, which hold as long as the build. Of several
 * platforms the first one is taken: a stage for another that begins with one is refused.
 */
export async function withLayouts(work: BuildWork, request: BuildBody, signal: AbortSignal): Promise<BuildBody> {
  const {contexts, platforms: [platform] = []} = request;
  const read = async ([name, source]: readonly [string, BuildContextSource]): Promise<[string, BuildContextSource]> => {
    if (source.kind !== 'layout') return [name, source];
    const {path, tag, digest} = source;
    const wanted = {path, platform, ...(tag === undefined ? {} : {tag}), ...(digest === undefined ? {} : {digest})};
    const reference = await loadLayoutImage(work.images, wanted, signal);
    await work.session.findImage(reference);
    return [name, {kind: 'image', reference}];
  };
  if (Object.values(contexts).every(({kind}) => kind !== 'layout')) return request;
  const entries: [string, BuildContextSource][] = [];
  for (const entry of Object.entries(contexts)) entries.push(await read(entry));
  return {...request, contexts: Object.fromEntries(entries)};
}
