import {isRepositoryName} from '../../engine/hosting/names.ts';
import type {RegistryRequest} from './message.ts';
import {Refusal} from './refusal.ts';

/** What a client has to be allowed to: `catalog` of all repositories, the others of one; `login` only to be known. */
export type Action = 'login' | 'catalog' | 'pull' | 'push' | 'delete' | 'open';

export interface Route {
  readonly methods: readonly string[];
  /** `{name}` stands for a repository, which may have slashes; another word in braces for one part of the path. */
  readonly path: string;
  readonly action: Action;
}

/**
 * Every request that a registry answers (OCI distribution specification, "Endpoints"; what is beside it for older clients
 * and for tokens). The first one that fits is taken.
 */
export const routes = {
  ping: {methods: ['GET', 'HEAD'], path: '/v2/', action: 'login'},
  catalog: {methods: ['GET'], path: '/v2/_catalog', action: 'catalog'},
  listTags: {methods: ['GET'], path: '/v2/{name}/tags/list', action: 'pull'},
  listReferrers: {methods: ['GET'], path: '/v2/{name}/referrers/{digest}', action: 'pull'},
  readManifest: {methods: ['GET', 'HEAD'], path: '/v2/{name}/manifests/{reference}', action: 'pull'},
  putManifest: {methods: ['PUT'], path: '/v2/{name}/manifests/{reference}', action: 'push'},
  deleteManifest: {methods: ['DELETE'], path: '/v2/{name}/manifests/{reference}', action: 'delete'},
  beginUpload: {methods: ['POST'], path: '/v2/{name}/blobs/uploads/', action: 'push'},
  readUpload: {methods: ['GET', 'HEAD'], path: '/v2/{name}/blobs/uploads/{upload}', action: 'push'},
  patchUpload: {methods: ['PATCH'], path: '/v2/{name}/blobs/uploads/{upload}', action: 'push'},
  finishUpload: {methods: ['PUT'], path: '/v2/{name}/blobs/uploads/{upload}', action: 'push'},
  cancelUpload: {methods: ['DELETE'], path: '/v2/{name}/blobs/uploads/{upload}', action: 'push'},
  readBlob: {methods: ['GET', 'HEAD'], path: '/v2/{name}/blobs/{digest}', action: 'pull'},
  deleteBlob: {methods: ['DELETE'], path: '/v2/{name}/blobs/{digest}', action: 'delete'},
  token: {methods: ['GET', 'POST'], path: '/token', action: 'open'},
  searchPing: {methods: ['GET'], path: '/v1/_ping', action: 'open'},
  search: {methods: ['GET'], path: '/v1/search', action: 'catalog'},
} as const satisfies Readonly<Record<string, Route>>;

export type RouteName = keyof typeof routes;

/** What the path of a request says; empty where its route has no such part. */
export interface PathParts {
  readonly name: string;
  readonly reference: string;
  readonly digest: string;
  readonly upload: string;
}

export interface FoundRoute {
  readonly route: RouteName;
  readonly action: Action;
  readonly parts: PathParts;
}

const matchers = (Object.entries(routes) as [RouteName, Route][]).map(([route, row]) => ({
  route,
  row,
  pattern: patternOf(row.path),
}));

/** A slash at the end of a path that has one may be left out. */
function patternOf(path: string): RegExp {
  const source = path
    .replace(/\/$/, '/?')
    .replace('{name}', '(?<name>.+)')
    .replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  return new RegExp(`^${source}$`);
}

/** Refuses a path that there is not, a method that it does not have, and names that no repository can have. */
export function findRoute({method, path}: Pick<RegistryRequest, 'method' | 'path'>): FoundRoute {
  const plain = decodePath(path);
  const fitting = matchers.flatMap(({route, row, pattern}) => {
    const match = pattern.exec(plain);
    return match === null ? [] : [{route, row, groups: match.groups ?? {}}];
  });
  const found = fitting.find(({row}) => row.methods.includes(method));
  if (fitting.length === 0) throw new Refusal('UNSUPPORTED', `there is nothing at ${plain}`, {status: 404});
  if (found === undefined) {
    const allow = [...new Set(fitting.flatMap(({row}) => row.methods))].join(', ');
    throw new Refusal('UNSUPPORTED', `${method} is not known at ${plain}`, {headers: {allow}});
  }
  const {name = '', reference = '', digest = '', upload = ''} = found.groups;
  if ('name' in found.groups && !isRepositoryName(name)) {
    throw new Refusal('NAME_INVALID', 'invalid repository name', {detail: {name: name.slice(0, 300)}});
  }
  return {route: found.route, action: found.row.action, parts: {name, reference, digest, upload}};
}

/** Each part by itself: an encoded slash makes no further part. */
function decodePath(path: string): string {
  const parts = path.split('/').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return '/';
    }
  });
  if (parts.some((part) => /[/\0]/.test(part))) throw new Refusal('NAME_INVALID', 'the path is not valid');
  return parts.join('/');
}
