import {type EndpointTable, jsonBody, progress} from '../endpoint.ts';
import type {BuildBody, BuildEvent} from '../types/build.ts';

export const buildEndpoints = {
  /** Builds from files of the engine's machine (feature `files`): nothing is sent. Of this project alone. */
  build: {
    method: 'POST',
    path: '/tscompose/build',
    query: {},
    body: jsonBody<BuildBody>(),
    answer: progress<BuildEvent>(),
  },
} as const satisfies EndpointTable;
