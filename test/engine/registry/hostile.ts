import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {gzipSync} from 'node:zlib';
import type {ImageProgress} from '../../../src/api/types/image.ts';
import {pullImage} from '../../../src/engine/registry/pull.ts';
import {pushImage} from '../../../src/engine/registry/push.ts';
import {createRegistries, type RegistryOptions} from '../../../src/engine/registry/registries.ts';
import {collect, digestOf, type ImageBed, type MadeImage, makeImage, makeImageBed} from '../image/bed.ts';

/** Answers a request, or leaves it to the next. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

/** A registry of one small image that does as it is told. */
export interface ScriptedRegistry extends AsyncDisposable {
  readonly host: string;
  /** Method, path and what was sent as credentials, of all requests. */
  readonly requests: {readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']}[];
  /** Asked before the good answers. */
  answer: Answer;
  readonly image: MadeImage;
  readonly layer: Buffer;
  readonly manifest: Buffer;
  /** More content, by path. */
  readonly files: Map<string, {readonly type: string; readonly bytes: Buffer}>;
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json';
export const indexType = 'application/vnd.oci.image.index.v1+json';

export async function startScripted(size = 3_000_000): Promise<ScriptedRegistry> {
  const data = Buffer.alloc(size, 'what compresses well, and is long ');
  const image = makeImage({layers: [[{name: 'file', data}]]});
  const layer = gzipSync(image.layers[0] ?? Buffer.alloc(0), {level: 0});
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: image.id,
        size: image.configuration.length,
      },
      layers: [{mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(layer), size: layer.length}],
    }),
  );
  const files: ScriptedRegistry['files'] = new Map([
    ['/v2/', {type: 'application/json', bytes: Buffer.from('{}')}],
    ['/v2/a/manifests/1', {type: manifestType, bytes: manifest}],
    [`/v2/a/manifests/${digestOf(manifest)}`, {type: manifestType, bytes: manifest}],
    [`/v2/a/blobs/${image.id}`, {type: 'application/octet-stream', bytes: image.configuration}],
    [`/v2/a/blobs/${digestOf(layer)}`, {type: 'application/octet-stream', bytes: layer}],
  ]);
  const requests: ScriptedRegistry['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({method: request.method ?? '', url: request.url ?? '', headers: request.headers});
    // A client that goes away in the middle is none of the test's business.
    respond(request, response).catch(() => response.destroy());
  });
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    if (await registry.answer(request, response)) return;
    serve(files, request, response);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const {port} = server.address() as AddressInfo;
  const registry: ScriptedRegistry = {
    host: `127.0.0.1:${port}`,
    requests,
    answer: () => false,
    image,
    layer,
    manifest,
    files,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

/** Good answers, with ranges. */
function serve(files: ScriptedRegistry['files'], request: IncomingMessage, response: ServerResponse): void {
  const found = files.get(request.url ?? '');
  if (found === undefined) {
    response.writeHead(404, {'content-type': 'application/json'});
    response.end(JSON.stringify({errors: [{code: 'NOT_FOUND', message: 'there is none'}]}));
    return;
  }
  const {type, bytes} = found;
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.writeHead(start > 0 ? 206 : 200, {
    'content-type': type,
    'content-length': bytes.length - start,
    'docker-content-digest': digestOf(bytes),
    ...(start > 0 ? {'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`} : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(start));
}

/** An image store with a way to registries. */
export interface PullBed extends AsyncDisposable {
  readonly images: ImageBed;
  pull(
    reference: string,
    options?: {
      readonly credential?: {readonly username: string; readonly password: string};
      readonly platform?: string;
      readonly allPlatforms?: boolean;
      readonly signal?: AbortSignal;
    },
  ): Promise<ImageProgress[]>;
  push(request: {readonly repository: string; readonly tag?: string}): Promise<ImageProgress[]>;
}

export async function makePullBed(options: Partial<RegistryOptions> = {}): Promise<PullBed> {
  const images = await makeImageBed();
  const registries = createRegistries({
    settings: {paths: [], isRequired: false},
    certificateDirectories: [],
    authorityFiles: [],
    proxy: {},
    userAgent: 'test',
    now: Date.now,
    // On a loaded machine an answer may take a while.
    stallMs: 30_000,
    ...options,
  });
  const context = {images: images.context, session: () => images.store.session(), registries};
  return {
    images,
    pull: (reference, {credential, platform, allPlatforms, signal} = {}) =>
      collect(pullImage(context, {reference, credential, platform, allPlatforms}, signal)),
    push: (request) => collect(pushImage(context, request)),
    async [Symbol.asyncDispose]() {
      await registries.close();
      await images[Symbol.asyncDispose]();
    },
  };
}
