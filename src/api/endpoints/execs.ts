import {type EndpointTable, json, jsonBody, noBody, none, upgrade} from '../endpoint.ts';
import {integer} from '../parameters.ts';
import type {ExecCreateBody, ExecInspect, ExecStartBody} from '../types/exec.ts';

export const execEndpoints = {
  execCreate: {
    method: 'POST',
    path: '/containers/{id}/exec',
    query: {},
    body: jsonBody<ExecCreateBody>(),
    answer: json<{readonly Id: string}>(201),
  },
  /** With `Detach` the connection is not upgraded: status 200 and nothing more. */
  execStart: {
    method: 'POST',
    path: '/exec/{id}/start',
    query: {},
    body: jsonBody<ExecStartBody>({optional: true}),
    answer: upgrade(),
  },
  /** `h` rows, `w` columns. */
  execResize: {
    method: 'POST',
    path: '/exec/{id}/resize',
    query: {h: integer, w: integer},
    body: noBody,
    answer: none(200),
  },
  execInspect: {method: 'GET', path: '/exec/{id}/json', query: {}, body: noBody, answer: json<ExecInspect>()},
} as const satisfies EndpointTable;
