import {bytesBody, type EndpointTable, json, noBody} from '../endpoint.ts';
import {text} from '../parameters.ts';
import type {SyncedFiles, SyncResult} from '../types/sync.ts';

/** Of this project alone (feature `sync`): a Docker Engine answers 404. */
export const syncEndpoints = {
  /**
   * Files for a container, running or not. The body is a tar of changes below the directory `path`, in the manner of an
   * image layer: files, directories and symbolic links with their modes and times; an entry `dir/.wh.NAME` deletes
   * `dir/NAME`. `owner`: `user[:group]`, by number or name; without it a file that is replaced keeps its owner, and what is
   * new belongs to the container's user. Nothing is put in place before the whole archive has been read; then each file
   * changes at once.
   */
  containerSync: {
    method: 'POST',
    path: '/tscompose/containers/{id}/sync',
    query: {path: text, owner: text},
    body: bytesBody('application/x-tar'),
    answer: json<SyncResult>(),
  },
  /** What was synced so far. */
  containerSynced: {
    method: 'GET',
    path: '/tscompose/containers/{id}/sync',
    query: {},
    body: noBody,
    answer: json<SyncedFiles>(),
  },
} as const satisfies EndpointTable;
