import {isDigestAlgorithm} from '../../../engine/hosting/digest.ts';
import {isRepositoryName} from '../../../engine/hosting/names.ts';
import type {UploadName} from '../../../engine/hosting/uploads.ts';
import type {HandlerContext, HandlerInput, RegistryHandlers} from '../handler.ts';
import type {RegistryRequest, RegistryResponse} from '../message.ts';
import {parseChunkRange} from '../ranges.ts';
import {Refusal} from '../refusal.ts';
import {checkDigest} from './blobs.ts';

type UploadHandlers = Pick<
  RegistryHandlers,
  'beginUpload' | 'readUpload' | 'patchUpload' | 'finishUpload' | 'cancelUpload'
>;

export function uploadHandlers(context: HandlerContext): UploadHandlers {
  const {hosting, blobMax} = context;
  const {uploads} = hosting;

  /** Answers the size then. */
  const append = async (upload: UploadName, request: RegistryRequest): Promise<number> => {
    const announced = readLength(request, blobMax);
    const from = readStart(request, announced);
    const result = await uploads.append(upload, request.body, from);
    switch (result.kind) {
      case 'appended':
        return result.size;
      case 'unknown':
        throw unknownUpload(upload.id);
      case 'tooLarge':
        throw tooLarge(result.most);
      case 'outOfOrder':
        throw new Refusal('RANGE_INVALID', `the upload goes on at byte ${result.size}`, {
          headers: progressHeaders(upload, result.size),
        });
    }
  };

  const finish = async (upload: UploadName, digest: string): Promise<RegistryResponse> => {
    const result = await hosting.finishUpload(upload, digest);
    if (result.kind === 'unknown') throw unknownUpload(upload.id);
    if (result.kind === 'wrong') {
      throw new Refusal('DIGEST_INVALID', `the content has the digest ${result.found}`, {detail: {digest}});
    }
    return created(upload.repository, digest);
  };

  const begin = async (repository: string): Promise<UploadName> => {
    const id = await uploads.begin(repository);
    if (id === undefined) {
      throw new Refusal('TOOMANYREQUESTS', 'too many uploads were begun and not finished', {
        headers: {'retry-after': '60'},
      });
    }
    return {repository, id};
  };

  return {
    async beginUpload({request, parts: {name}, identity}) {
      const {query} = request;
      checkAlgorithm(query.get('digest-algorithm'));
      const mount = query.get('mount');
      if (mount !== null && (await mountBlob(context, {request, name, digest: mount, identity})))
        return created(name, mount);
      const digest = query.get('digest');
      if (digest === null) return accepted(await begin(name), 0);
      checkDigest(digest);
      const upload = await begin(name);
      try {
        await append(upload, request);
        return await finish(upload, digest);
      } catch (error) {
        // Nobody was told of it: nobody can go on with it.
        await uploads.cancel(upload);
        throw error;
      }
    },

    async readUpload({parts: {name, upload: id}}) {
      const upload = {repository: name, id};
      const size = await uploads.size(upload);
      if (size === undefined) throw unknownUpload(id);
      return {status: 204, headers: progressHeaders(upload, size)};
    },

    async patchUpload({request, parts: {name, upload: id}}) {
      const upload = {repository: name, id};
      return accepted(upload, await append(upload, request));
    },

    async finishUpload({request, parts: {name, upload: id}}) {
      const upload = {repository: name, id};
      const digest = request.query.get('digest');
      if (digest === null) throw new Refusal('DIGEST_INVALID', 'the request tells no digest');
      checkDigest(digest);
      if (hasBody(request)) await append(upload, request);
      return await finish(upload, digest);
    },

    async cancelUpload({parts: {name, upload: id}}) {
      if (!(await uploads.cancel({repository: name, id}))) throw unknownUpload(id);
      return {status: 204, headers: {}};
    },
  };
}

interface Mount extends Pick<HandlerInput, 'request' | 'identity'> {
  readonly name: string;
  readonly digest: string;
}

/** False: then it has to be sent. Without `from` whatever may be read anywhere is taken. */
async function mountBlob({hosting}: HandlerContext, {request, name, digest, identity}: Mount): Promise<boolean> {
  checkDigest(digest);
  const from = request.query.get('from') ?? undefined;
  if (from !== undefined && !isRepositoryName(from)) {
    throw new Refusal('NAME_INVALID', 'invalid repository name', {detail: {name: from.slice(0, 300)}});
  }
  const mayRead = (repository: string) => identity.allows('pull', repository);
  return await hosting.mountBlob(name, digest, {repository: from, mayRead});
}

function checkAlgorithm(text: string | null): void {
  if (text === null || isDigestAlgorithm(text)) return;
  throw new Refusal('DIGEST_INVALID', 'digests are by sha256 or sha512 here', {
    detail: {algorithm: text.slice(0, 100)},
  });
}

function hasBody({headers}: RegistryRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function readLength({headers}: RegistryRequest, blobMax: number): number | undefined {
  const text = headers['content-length'];
  if (text === undefined) return undefined;
  const length = Number(text);
  if (length > blobMax) throw tooLarge(blobMax);
  return length;
}

/** Where a chunk says that it belongs; undefined for a stream, which goes on where the upload ends. */
function readStart({headers}: RegistryRequest, length: number | undefined): number | undefined {
  const text = headers['content-range'];
  if (text === undefined) return undefined;
  const range = parseChunkRange(text);
  if (range === undefined) throw new Refusal('RANGE_INVALID', 'the range of the chunk cannot be read', {status: 400});
  if (length !== undefined && length !== range.end - range.start + 1) {
    throw new Refusal('SIZE_INVALID', `the chunk has ${length} bytes, not what its range says`);
  }
  return range.start;
}

function created(repository: string, digest: string): RegistryResponse {
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/blobs/${digest}`,
      'docker-content-digest': digest,
      'content-length': '0',
    },
  };
}

function accepted(upload: UploadName, size: number): RegistryResponse {
  return {status: 202, headers: {...progressHeaders(upload, size), 'content-length': '0'}};
}

/** As clients expect it, an empty one has byte 0 too. */
function progressHeaders({repository, id}: UploadName, size: number): Readonly<Record<string, string>> {
  return {
    location: `/v2/${repository}/blobs/uploads/${id}`,
    range: `0-${Math.max(size - 1, 0)}`,
    'docker-upload-uuid': id,
  };
}

function unknownUpload(id: string): Refusal {
  return new Refusal('BLOB_UPLOAD_UNKNOWN', 'the upload is not known', {detail: {upload: id.slice(0, 100)}});
}

function tooLarge(most: number): Refusal {
  return new Refusal('SIZE_INVALID', `a blob may have ${most} bytes here`, {status: 413});
}
