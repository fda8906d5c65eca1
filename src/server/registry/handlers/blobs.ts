import {parseAnyDigest} from '../../../engine/hosting/digest.ts';
import type {HandlerContext, RegistryHandlers} from '../handler.ts';
import type {RegistryResponse} from '../message.ts';
import {parseRange} from '../ranges.ts';
import {Refusal} from '../refusal.ts';
import {answerRemoved} from './manifests.ts';

export function blobHandlers({hosting}: HandlerContext): Pick<RegistryHandlers, 'readBlob' | 'deleteBlob'> {
  return {
    async readBlob({request, parts: {name, digest}, identity}) {
      checkDigest(digest);
      // Who is about to push asks what is there, and leaves it out: then it has to stay.
      const isPushing = request.method === 'HEAD' && identity.allows('push', name);
      const asked = {via: request.headers['via']};
      const blob = await (isPushing ? hosting.keepBlob(name, digest, asked) : hosting.findBlob(name, digest, asked));
      if (blob === undefined) throw unknownBlob(digest);
      const etag = `"${digest}"`;
      const headers = {
        'docker-content-digest': digest,
        etag,
        'cache-control': 'max-age=31536000',
        ...(blob.hasParts ? {'accept-ranges': 'bytes'} : {}),
      };
      if (request.headers['if-none-match'] === etag) {
        await blob.close();
        return {status: 304, headers};
      }
      const range = blob.hasParts ? parseRange(request.headers['range'], blob.size) : undefined;
      if (range === 'unsatisfiable') {
        await blob.close();
        throw new Refusal('RANGE_INVALID', 'no byte of the blob is in the range', {
          headers: {'content-range': `bytes */${blob.size}`},
        });
      }
      const length = range === undefined ? blob.size : range.end - range.start + 1;
      const described = {...headers, 'content-type': 'application/octet-stream', 'content-length': String(length)};
      if (request.method === 'HEAD') {
        await blob.close();
        return {status: 200, headers: described};
      }
      if (range === undefined) return {status: 200, headers: described, body: blob.read()};
      const part = {'content-range': `bytes ${range.start}-${range.end}/${blob.size}`};
      return {status: 206, headers: {...described, ...part}, body: blob.read(range)};
    },

    async deleteBlob({parts: {name, digest}}): Promise<RegistryResponse> {
      checkDigest(digest);
      const removed = await hosting.removeBlob(name, digest);
      if (removed === 'unknown') throw unknownBlob(digest);
      return answerRemoved(removed);
    },
  };
}

export function checkDigest(digest: string): void {
  if (parseAnyDigest(digest) !== undefined) return;
  throw new Refusal('DIGEST_INVALID', 'this is no digest by sha256 or sha512', {
    detail: {digest: digest.slice(0, 300)},
  });
}

function unknownBlob(digest: string): Refusal {
  return new Refusal('BLOB_UNKNOWN', 'the repository does not have the blob', {detail: {digest}});
}
