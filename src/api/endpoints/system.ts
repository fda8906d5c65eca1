import {type EndpointTable, json, noBody, none, plainText, progress} from '../endpoint.ts';
import {filters, texts, unixTime} from '../parameters.ts';
import type {DiskUsage, EngineEvent, SystemInfo, VersionInfo} from '../types/system.ts';

export const systemEndpoints = {
  systemPing: {method: 'GET', path: '/_ping', query: {}, body: noBody, answer: plainText()},
  /** The same without a body: clients read the headers to negotiate a version. */
  systemPingHead: {method: 'HEAD', path: '/_ping', query: {}, body: noBody, answer: none(200)},
  systemVersion: {method: 'GET', path: '/version', query: {}, body: noBody, answer: json<VersionInfo>()},
  systemInfo: {method: 'GET', path: '/info', query: {}, body: noBody, answer: json<SystemInfo>()},
  /** What takes up space; `type` names kinds: `container`, `image`, `volume`, `build-cache`. */
  systemDf: {method: 'GET', path: '/system/df', query: {type: texts}, body: noBody, answer: json<DiskUsage>()},
  systemEvents: {
    method: 'GET',
    path: '/events',
    query: {since: unixTime, until: unixTime, filters},
    body: noBody,
    answer: progress<EngineEvent>({early: true}),
  },
} as const satisfies EndpointTable;
