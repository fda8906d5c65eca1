import {bytesBody, type EndpointTable, json, jsonBody, noBody, none, progress, stream, upgrade} from '../endpoint.ts';
import {filters, flag, integer, text, texts} from '../parameters.ts';
import type {BuildBody, BuildEvent, BuildProgress} from '../types/build.ts';
import type {BuildsPruned} from '../types/prune.ts';

export const buildEndpoints = {
  /**
   * Builds an image of an archive with its context, or of a repository, an archive or a Dockerfile at an address (`remote`).
   * `buildargs` and `labels` are JSON objects of texts, `platform` is one or several with commas, `outputs` a JSON list of
   * `{"Type": "image", "Attrs": {}}`. With `version=2` logins and secrets may be those of a `session`. What we do not do is
   * refused: outputs of files, `squash`, files of a session, limits of the steps.
   */
  imageBuild: {
    method: 'POST',
    path: '/build',
    query: {
      ...{t: texts, dockerfile: text, target: text, buildargs: text, labels: text, platform: text},
      ...{q: flag, nocache: flag, networkmode: text, extrahosts: texts, shmsize: integer, cgroupparent: text},
      ...{
        remote: text,
        squash: flag,
        version: text,
        session: text,
        memory: integer,
        memswap: integer,
        cpushares: integer,
      },
      ...{cpusetcpus: text, cpuperiod: integer, cpuquota: integer, cachefrom: text, outputs: text, pull: text},
    },
    headers: {registryConfig: 'x-registry-config'},
    body: bytesBody('application/x-tar'),
    answer: progress<BuildProgress>(),
  },
  /** Builds from files of the engine's machine (feature `files`): nothing is sent. Of this project alone. */
  build: {
    method: 'POST',
    path: '/tscompose/build',
    query: {},
    body: jsonBody<BuildBody>(),
    answer: progress<BuildEvent>(),
  },
  /** What clients of BuildKit call on: gRPC over HTTP/2 in a connection that asks for `Upgrade: h2c`. */
  buildkit: {method: 'POST', path: '/grpc', query: {}, body: noBody, answer: upgrade()},
  /** What such a client is called on: it serves its files, logins and secrets to the builds that name its session. */
  session: {
    method: 'POST',
    path: '/session',
    query: {},
    headers: {id: 'x-docker-expose-session-uuid', sharedKey: 'x-docker-expose-session-sharedkey'},
    body: noBody,
    answer: upgrade(),
  },
  /**
   * Removes what steps resulted in, and what their cache mounts hold: with `all` everything, else steps whose layers are part of
   * no image, and mounts that a filter names. `keep-storage` is the old name of `reserved-space`.
   */
  buildPrune: {
    method: 'POST',
    path: '/build/prune',
    query: {
      ...{all: flag, filters, 'keep-storage': integer, 'reserved-space': integer},
      ...{'max-used-space': integer, 'min-free-space': integer},
    },
    body: noBody,
    answer: json<BuildsPruned>(),
  },
  /** What a cache mount holds (`id`: of its step, or its name), as an archive. Of this project alone. */
  buildMountExport: {
    method: 'GET',
    path: '/tscompose/build/mount',
    query: {id: text},
    body: noBody,
    answer: stream(),
  },
  /** Makes a cache mount of an archive; what it held is gone. */
  buildMountImport: {
    method: 'PUT',
    path: '/tscompose/build/mount',
    query: {id: text},
    body: bytesBody('application/x-tar'),
    answer: none(),
  },
} as const satisfies EndpointTable;
