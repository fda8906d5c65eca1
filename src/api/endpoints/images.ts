import {bytesBody, type EndpointTable, json, noBody, none, progress, stream} from '../endpoint.ts';
import {filters, flag, platformParameter, platformsParameter, text, texts} from '../parameters.ts';
import type {ImageDeleteItem, ImageHistoryItem, ImageInspect, ImageProgress, ImageSummary} from '../types/image.ts';
import type {ImagesPruned} from '../types/prune.ts';

export const imageEndpoints = {
  imageList: {
    method: 'GET',
    path: '/images/json',
    query: {all: flag, filters, manifests: flag},
    body: noBody,
    answer: json<ImageSummary[]>(),
  },
  imageInspect: {
    method: 'GET',
    path: '/images/{+name}/json',
    query: {platform: platformParameter},
    body: noBody,
    answer: json<ImageInspect>(),
  },
  /** The steps that made it, newest first. */
  imageHistory: {
    method: 'GET',
    path: '/images/{+name}/history',
    query: {platform: platformParameter},
    body: noBody,
    answer: json<ImageHistoryItem[]>(),
  },
  /** An archive of images, both an OCI layout and what `load` has always read. */
  imageSave: {
    method: 'GET',
    path: '/images/get',
    query: {names: texts, platform: platformParameter},
    body: noBody,
    answer: stream(),
  },
  imageSaveOne: {
    method: 'GET',
    path: '/images/{+name}/get',
    query: {platform: platformParameter},
    body: noBody,
    answer: stream(),
  },
  /**
   * Reads an archive of images. `path` is an extension of ours (feature `files`): a file or directory on the engine's
   * machine to read in place of the body, which is then empty.
   */
  imageLoad: {
    method: 'POST',
    path: '/images/load',
    query: {quiet: flag, path: text, platform: platformParameter},
    body: bytesBody('application/x-tar'),
    answer: progress<ImageProgress>(),
  },
  /**
   * Makes an image of a root file system (`fromSrc` is `-`: the body, or an address), or pulls one (`fromImage`). `allPlatforms`
   * is an extension of ours (feature `platforms`): everything that the name's index leads to is brought and kept.
   */
  imageCreate: {
    method: 'POST',
    path: '/images/create',
    query: {
      ...{fromImage: text, fromSrc: text, repo: text, tag: text, message: text, changes: texts, platform: text},
      allPlatforms: flag,
    },
    headers: {registryAuth: 'x-registry-auth'},
    body: bytesBody('application/x-tar'),
    answer: progress<ImageProgress>(),
  },
  imageTag: {
    method: 'POST',
    path: '/images/{+name}/tag',
    query: {repo: text, tag: text},
    body: noBody,
    answer: none(201),
  },
  imageDelete: {
    method: 'DELETE',
    path: '/images/{+name}',
    query: {force: flag, noprune: flag, platforms: platformsParameter},
    body: noBody,
    answer: json<ImageDeleteItem[]>(),
  },
  /** Removes those that nobody uses. */
  imagePrune: {
    method: 'POST',
    path: '/images/prune',
    query: {filters},
    body: noBody,
    answer: json<ImagesPruned>(),
  },
} as const satisfies EndpointTable;
