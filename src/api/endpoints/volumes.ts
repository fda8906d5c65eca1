import {type EndpointTable, json, jsonBody, noBody, none} from '../endpoint.ts';
import {filters, flag} from '../parameters.ts';
import type {VolumesPruned} from '../types/prune.ts';
import type {VolumeCreateBody, VolumeInspect, VolumeList} from '../types/volume.ts';

export const volumeEndpoints = {
  volumeList: {method: 'GET', path: '/volumes', query: {filters}, body: noBody, answer: json<VolumeList>()},
  volumeInspect: {method: 'GET', path: '/volumes/{name}', query: {}, body: noBody, answer: json<VolumeInspect>()},
  /** The same name again answers the existing volume. */
  volumeCreate: {
    method: 'POST',
    path: '/volumes/create',
    query: {},
    body: jsonBody<VolumeCreateBody>({optional: true}),
    answer: json<VolumeInspect>(201),
  },
  volumeDelete: {method: 'DELETE', path: '/volumes/{name}', query: {force: flag}, body: noBody, answer: none()},
  /** Removes those that nobody uses. */
  volumePrune: {
    method: 'POST',
    path: '/volumes/prune',
    query: {filters},
    body: noBody,
    answer: json<VolumesPruned>(),
  },
} as const satisfies EndpointTable;
