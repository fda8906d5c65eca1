import {type EndpointTable, json, noBody, none, plainText, progress} from '../endpoint.ts';
import {filters, unixTime} from '../parameters.ts';
import type {EngineEvent, VersionInfo} from '../types/system.ts';

export const systemEndpoints = {
  systemPing: {method: 'GET', path: '/_ping', query: {}, body: noBody, answer: plainText()},
  /** The same without a body: clients read the headers to negotiate a version. */
  systemPingHead: {method: 'HEAD', path: '/_ping', query: {}, body: noBody, answer: none(200)},
  systemVersion: {method: 'GET', path: '/version', query: {}, body: noBody, answer: json<VersionInfo>()},
  systemEvents: {
    method: 'GET',
    path: '/events',
    query: {since: unixTime, until: unixTime, filters},
    body: noBody,
    answer: progress<EngineEvent>({early: true}),
  },
} as const satisfies EndpointTable;
