import {bytesBody, type EndpointTable, json, jsonBody, noBody, progress} from '../endpoint.ts';
import {filters, flag, integer, text, texts} from '../parameters.ts';
import type {BuildBody, BuildEvent, BuildProgress} from '../types/build.ts';
import type {BuildsPruned} from '../types/prune.ts';

export const buildEndpoints = {
  /**
   * Builds an image of an archive with its context, or of a repository, an archive or a Dockerfile at an address (`remote`).
   * `buildargs` and `labels` are JSON objects of texts. What we do not do is refused: `squash`, `version=2` (a session of
   * BuildKit), limits of the steps.
   */
  imageBuild: {
    method: 'POST',
    path: '/build',
    query: {
      ...{t: texts, dockerfile: text, target: text, buildargs: text, labels: text, platform: text},
      ...{q: flag, nocache: flag, networkmode: text, extrahosts: texts, shmsize: integer, cgroupparent: text},
      ...{remote: text, squash: flag, version: text, memory: integer, memswap: integer, cpushares: integer},
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
  /** Removes what steps resulted in, and what their cache mounts hold: with `all` everything, else what is part of no image. */
  buildPrune: {
    method: 'POST',
    path: '/build/prune',
    query: {all: flag, filters},
    body: noBody,
    answer: json<BuildsPruned>(),
  },
} as const satisfies EndpointTable;
