import {type EndpointTable, json, jsonBody, noBody, progress} from '../endpoint.ts';
import {filters, flag, integer, platformParameter, text} from '../parameters.ts';
import type {AuthAnswer, AuthConfig, DistributionInspect, ImageProgress, ImageSearchResult} from '../types/image.ts';

/** What goes to a registry and back; pulling is `imageCreate`. */
export const registryEndpoints = {
  /** Without a tag every tag of the repository is pushed. */
  imagePush: {
    method: 'POST',
    path: '/images/{+name}/push',
    query: {tag: text, platform: platformParameter},
    headers: {registryAuth: 'x-registry-auth'},
    body: noBody,
    answer: progress<ImageProgress>(),
  },
  imageSearch: {
    method: 'GET',
    path: '/images/search',
    query: {term: text, limit: integer, filters},
    headers: {registryAuth: 'x-registry-auth'},
    body: noBody,
    answer: json<ImageSearchResult[]>(),
  },
  /** Checks credentials for a registry. */
  systemAuth: {
    method: 'POST',
    path: '/auth',
    query: {},
    body: jsonBody<AuthConfig>(),
    answer: json<AuthAnswer>(),
  },
  /**
   * What a registry has under a name, without pulling it. `manifests` and `referrers` are extensions of ours (feature
   * `platforms`).
   */
  distributionInspect: {
    method: 'GET',
    path: '/distribution/{+name}/json',
    query: {manifests: flag, referrers: flag},
    headers: {registryAuth: 'x-registry-auth'},
    body: noBody,
    answer: json<DistributionInspect>(),
  },
} as const satisfies EndpointTable;
