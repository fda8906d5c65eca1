import {type EndpointTable, json, jsonBody, noBody, none} from '../endpoint.ts';
import {filters} from '../parameters.ts';
import type {NetworkConnectBody, NetworkCreateBody, NetworkDisconnectBody, NetworkInspect} from '../types/network.ts';
import type {NetworksPruned} from '../types/prune.ts';

export const networkEndpoints = {
  networkList: {method: 'GET', path: '/networks', query: {filters}, body: noBody, answer: json<NetworkInspect[]>()},
  networkInspect: {method: 'GET', path: '/networks/{id}', query: {}, body: noBody, answer: json<NetworkInspect>()},
  networkCreate: {
    method: 'POST',
    path: '/networks/create',
    query: {},
    body: jsonBody<NetworkCreateBody>(),
    answer: json<{readonly Id: string; readonly Warning: string}>(201),
  },
  networkDelete: {method: 'DELETE', path: '/networks/{id}', query: {}, body: noBody, answer: none()},
  networkConnect: {
    method: 'POST',
    path: '/networks/{id}/connect',
    query: {},
    body: jsonBody<NetworkConnectBody>(),
    answer: none(200),
  },
  networkDisconnect: {
    method: 'POST',
    path: '/networks/{id}/disconnect',
    query: {},
    body: jsonBody<NetworkDisconnectBody>(),
    answer: none(200),
  },
  /** Removes those that nobody uses. */
  networkPrune: {
    method: 'POST',
    path: '/networks/prune',
    query: {filters},
    body: noBody,
    answer: json<NetworksPruned>(),
  },
} as const satisfies EndpointTable;
