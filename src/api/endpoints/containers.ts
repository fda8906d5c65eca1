import {
  bytesBody,
  described,
  type EndpointTable,
  earlyJson,
  headerOnly,
  json,
  jsonBody,
  noBody,
  none,
  progress,
  stream,
  upgrade,
} from '../endpoint.ts';
import {filters, flag, integer, tail, text, texts, unixTime, waitCondition} from '../parameters.ts';
import type {ContainerChange, PathStat} from '../types/archive.ts';
import type {
  ContainerConfig,
  ContainerCreateBody,
  ContainerCreateResult,
  ContainerInspect,
  ContainerSummary,
  WaitResult,
} from '../types/container.ts';
import type {ContainersPruned} from '../types/prune.ts';
import type {ContainerProcesses, ContainerStats} from '../types/stats.ts';
import type {ContainerUpdateBody, ContainerUpdateResult} from '../types/update.ts';

const pathStatHeader = 'x-docker-container-path-stat';

export const containerEndpoints = {
  containerList: {
    method: 'GET',
    path: '/containers/json',
    query: {all: flag, limit: integer, filters},
    body: noBody,
    answer: json<ContainerSummary[]>(),
  },
  containerCreate: {
    method: 'POST',
    path: '/containers/create',
    query: {name: text, platform: text},
    body: jsonBody<ContainerCreateBody>(),
    answer: json<ContainerCreateResult>(201),
  },
  containerInspect: {
    method: 'GET',
    path: '/containers/{id}/json',
    query: {},
    body: noBody,
    answer: json<ContainerInspect>(),
  },
  containerStart: {method: 'POST', path: '/containers/{id}/start', query: {}, body: noBody, answer: none()},
  /** `t`: seconds until it is killed, -1 for never. */
  containerStop: {
    method: 'POST',
    path: '/containers/{id}/stop',
    query: {t: integer, signal: text},
    body: noBody,
    answer: none(),
  },
  containerRestart: {
    method: 'POST',
    path: '/containers/{id}/restart',
    query: {t: integer, signal: text},
    body: noBody,
    answer: none(),
  },
  containerKill: {method: 'POST', path: '/containers/{id}/kill', query: {signal: text}, body: noBody, answer: none()},
  containerPause: {method: 'POST', path: '/containers/{id}/pause', query: {}, body: noBody, answer: none()},
  containerUnpause: {method: 'POST', path: '/containers/{id}/unpause', query: {}, body: noBody, answer: none()},
  containerRename: {method: 'POST', path: '/containers/{id}/rename', query: {name: text}, body: noBody, answer: none()},
  containerUpdate: {
    method: 'POST',
    path: '/containers/{id}/update',
    query: {},
    body: jsonBody<ContainerUpdateBody>(),
    answer: json<ContainerUpdateResult>(),
  },
  /** `v`: its anonymous volumes too. */
  containerDelete: {
    method: 'DELETE',
    path: '/containers/{id}',
    query: {force: flag, v: flag, link: flag},
    body: noBody,
    answer: none(),
  },
  containerWait: {
    method: 'POST',
    path: '/containers/{id}/wait',
    query: {condition: waitCondition},
    body: noBody,
    answer: earlyJson<WaitResult>(),
  },
  containerLogs: {
    method: 'GET',
    path: '/containers/{id}/logs',
    query: {
      follow: flag,
      stdout: flag,
      stderr: flag,
      since: unixTime,
      until: unixTime,
      timestamps: flag,
      tail,
      details: flag,
    },
    body: noBody,
    answer: stream(),
  },
  containerAttach: {
    method: 'POST',
    path: '/containers/{id}/attach',
    query: {logs: flag, stream: flag, stdin: flag, stdout: flag, stderr: flag, detachKeys: text},
    body: noBody,
    answer: upgrade(),
  },
  /** The same for browsers, by WebSocket: refused by name. */
  containerAttachWebsocket: {
    method: 'GET',
    path: '/containers/{id}/attach/ws',
    query: {},
    body: noBody,
    answer: none(),
  },
  /** `h` rows, `w` columns. */
  containerResize: {
    method: 'POST',
    path: '/containers/{id}/resize',
    query: {h: integer, w: integer},
    body: noBody,
    answer: none(200),
  },
  /** A sample each second unless `stream` is off; with `one-shot` the only one comes at once, without one before it. */
  containerStats: {
    method: 'GET',
    path: '/containers/{id}/stats',
    query: {stream: flag, 'one-shot': flag},
    body: noBody,
    answer: progress<ContainerStats>({early: true}),
  },
  containerTop: {
    method: 'GET',
    path: '/containers/{id}/top',
    query: {ps_args: text},
    body: noBody,
    answer: json<ContainerProcesses>(),
  },
  /** What is at `path`; a link at its end is not followed unless the path ends in a slash. */
  containerArchiveInfo: {
    method: 'HEAD',
    path: '/containers/{id}/archive',
    query: {path: text},
    body: noBody,
    answer: headerOnly<PathStat>(pathStatHeader),
  },
  /** A tar archive of what is at `path`, which is the first entry; of one that ends in `/.` it is called so. */
  containerArchive: {
    method: 'GET',
    path: '/containers/{id}/archive',
    query: {path: text},
    body: noBody,
    answer: described<PathStat>(pathStatHeader),
  },
  /** Unpacks a tar archive into the directory `path` of the container. */
  containerPutArchive: {
    method: 'PUT',
    path: '/containers/{id}/archive',
    query: {path: text, noOverwriteDirNonDir: flag, copyUIDGID: flag},
    body: bytesBody('application/x-tar'),
    answer: none(200),
  },
  /** Removes those that nobody uses. */
  containerPrune: {
    method: 'POST',
    path: '/containers/prune',
    query: {filters},
    body: noBody,
    answer: json<ContainersPruned>(),
  },
  /** Its root file system as a tar archive, without what is mounted in it. */
  containerExport: {
    method: 'GET',
    path: '/containers/{id}/export',
    query: {},
    body: noBody,
    answer: stream(),
  },
  /** Makes an image of `container`. `changes`: Dockerfile lines; the body is put over the container's configuration. */
  containerCommit: {
    method: 'POST',
    path: '/commit',
    query: {container: text, repo: text, tag: text, comment: text, author: text, pause: flag, changes: texts},
    body: jsonBody<ContainerConfig>({optional: true}),
    answer: json<{readonly Id: string}>(201),
  },
  /** How its root file system differs from its image; `null` where it does not. */
  containerChanges: {
    method: 'GET',
    path: '/containers/{id}/changes',
    query: {},
    body: noBody,
    answer: json<readonly ContainerChange[] | null>(),
  },
} as const satisfies EndpointTable;
