import {hasKind} from '../../../base/errors.ts';
import {parseAnyDigest} from '../../../engine/hosting/digest.ts';
import type {ManifestName, Removed} from '../../../engine/hosting/hosting.ts';
import {isTag} from '../../../engine/hosting/names.ts';
import {manifestMax} from '../../../engine/image/descriptors.ts';
import type {HandlerContext, HandlerInput, RegistryHandlers} from '../handler.ts';
import {readAtMost} from '../message.ts';
import {Refusal} from '../refusal.ts';

/** Of one request. */
const tagsMax = 100;

export function manifestHandlers({
  hosting,
  hostOf,
}: HandlerContext): Pick<RegistryHandlers, 'readManifest' | 'putManifest' | 'deleteManifest'> {
  return {
    async readManifest({request, parts: {name, reference}}) {
      const found = await hosting.findManifest(name, nameOf(reference), {
        ...{via: request.headers['via'], signal: request.signal},
      });
      if (found === undefined) throw await unknownManifest(hosting, name, reference);
      const {digest, mediaType, bytes} = found;
      const etag = `"${digest}"`;
      const headers = {'docker-content-digest': digest, etag};
      if (request.headers['if-none-match'] === etag) return {status: 304, headers};
      const described = {...headers, 'content-type': mediaType, 'content-length': String(bytes.length)};
      return {status: 200, headers: described, ...(request.method === 'HEAD' ? {} : {body: bytes})};
    },

    async putManifest({request, parts: {name, reference}}) {
      const {digest, tags} = namesOf(reference, request.query);
      const bytes = await readManifestBody(request);
      const result = await hosting
        .putManifest(
          {repository: name, bytes, mediaType: mediaTypeOf(request), digest, tags, host: hostOf(request)},
          request.signal,
        )
        .catch((error: unknown) => {
          throw hasKind(error, 'invalid') ? new Refusal('MANIFEST_INVALID', error.message) : error;
        });
      if (result.kind === 'wrong') {
        throw new Refusal('DIGEST_INVALID', `the manifest has the digest ${result.found}`, {detail: {digest}});
      }
      if (result.kind === 'missing') {
        const detail = [...result.blobs, ...result.manifests].slice(0, 100).map((missing) => ({digest: missing}));
        throw new Refusal('MANIFEST_BLOB_UNKNOWN', 'the manifest names what the repository does not have', {detail});
      }
      return {
        status: 201,
        headers: {
          location: `/v2/${name}/manifests/${result.digest}`,
          'docker-content-digest': result.digest,
          'content-length': '0',
          ...(result.subject === undefined ? {} : {'oci-subject': result.subject}),
          ...(digest === undefined || tags.length === 0 ? {} : {'oci-tag': tags}),
        },
        ...(result.notRunnable === undefined ? {} : {note: `kept, but not runnable here: ${result.notRunnable}`}),
      };
    },

    async deleteManifest({parts: {name, reference}}) {
      const wanted = nameOf(reference);
      const removed =
        'tag' in wanted ? await hosting.removeTag(name, wanted.tag) : await hosting.removeManifest(name, wanted.digest);
      if (removed === 'unknown') throw await unknownManifest(hosting, name, reference);
      return answerRemoved(removed);
    },
  };
}

/** The answer to a removal of what was there. */
export function answerRemoved(removed: Exclude<Removed, 'unknown'>): {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
} {
  if (removed === 'removed') return {status: 202, headers: {'content-length': '0'}};
  throw new Refusal('DENIED', 'this is an image of the machine and was not pushed: it is removed there');
}

function nameOf(reference: string): ManifestName {
  if (reference.includes(':')) {
    if (parseAnyDigest(reference) !== undefined) return {digest: reference};
    throw new Refusal('DIGEST_INVALID', 'this is no digest by sha256 or sha512', {
      detail: {digest: reference.slice(0, 300)},
    });
  }
  if (isTag(reference)) return {tag: reference};
  throw new Refusal('TAG_INVALID', 'this is no tag', {detail: {tag: reference.slice(0, 300)}});
}

/** A manifest that is put by its digest may get tags with it. */
function namesOf(
  reference: string,
  query: URLSearchParams,
): {readonly digest: string | undefined; readonly tags: readonly string[]} {
  const name = nameOf(reference);
  const more = query.getAll('tag');
  const wrong = more.find((tag) => !isTag(tag));
  if (wrong !== undefined) throw new Refusal('TAG_INVALID', 'this is no tag', {detail: {tag: wrong.slice(0, 300)}});
  if (more.length > tagsMax) throw new Refusal('TAG_INVALID', `a request may give ${tagsMax} tags`);
  return 'tag' in name
    ? {digest: undefined, tags: [...new Set([name.tag, ...more])]}
    : {digest: name.digest, tags: [...new Set(more)]};
}

function mediaTypeOf({headers}: HandlerInput['request']): string | undefined {
  const type = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  return type || undefined;
}

async function readManifestBody({headers, body}: HandlerInput['request']): Promise<Uint8Array> {
  const announced = Number(headers['content-length'] ?? 0);
  const bytes = announced > manifestMax ? undefined : await readAtMost(body, manifestMax);
  if (bytes !== undefined) return bytes;
  throw new Refusal('SIZE_INVALID', `a manifest may have ${manifestMax} bytes`, {status: 413});
}

async function unknownManifest(hosting: HandlerContext['hosting'], name: string, reference: string): Promise<Refusal> {
  const isThere = (await hosting.listTags(name)) !== undefined;
  return isThere
    ? new Refusal('MANIFEST_UNKNOWN', 'the manifest is not known', {detail: {name, reference}})
    : new Refusal('NAME_UNKNOWN', 'the repository is not known', {detail: {name}});
}
