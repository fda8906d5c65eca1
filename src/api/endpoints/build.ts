import {type EndpointTable, json, jsonBody, noBody, progress} from '../endpoint.ts';
import {filters, flag} from '../parameters.ts';
import type {BuildBody, BuildEvent} from '../types/build.ts';
import type {BuildsPruned} from '../types/prune.ts';

export const buildEndpoints = {
  /** Removes what steps resulted in, and what their cache mounts hold: with `all` everything, else what is part of no image. */
  buildPrune: {
    method: 'POST',
    path: '/build/prune',
    query: {all: flag, filters},
    body: noBody,
    answer: json<BuildsPruned>(),
  },
  /** Builds from files of the engine's machine (feature `files`): nothing is sent. Of this project alone. */
  build: {
    method: 'POST',
    path: '/tscompose/build',
    query: {},
    body: jsonBody<BuildBody>(),
    answer: progress<BuildEvent>(),
  },
} as const satisfies EndpointTable;
