import type {Endpoint, EndpointTable} from '../api/endpoint.ts';
import {pathMatcher} from '../api/path-template.ts';
import {apiVersion, compareVersions, oldestServedVersion} from '../api/version.ts';
import {TscomposeError} from '../base/errors.ts';

export interface Route {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly path: Readonly<Record<string, string>>;
}

/**
 * Finds the row a request is for. Throws `invalid` for a version we do not speak and for a name with a zero byte, which no
 * file and no process can have; `notFound` for a path we do not know.
 */
export function createRouter(table: EndpointTable): (method: string, path: string) => Route {
  const rows = Object.entries(table).map(([name, endpoint]) => ({name, endpoint, match: pathMatcher(endpoint.path)}));
  return (method, path) => {
    const plain = withoutVersion(path);
    for (const {name, endpoint, match} of rows) {
      const values = endpoint.method === method ? match(plain) : undefined;
      if (values === undefined) continue;
      if (Object.values(values).some((value) => value.includes('\0')))
        throw new TscomposeError('invalid', 'the path of the request has a zero byte');
      return {name, endpoint, path: values};
    }
    throw new TscomposeError('notFound', 'page not found');
  };
}

function withoutVersion(path: string): string {
  const found = /^\/v(\d+\.\d+)(?=\/)/.exec(path);
  const version = found?.[1];
  if (found === null || version === undefined) return path;
  if (compareVersions(version, apiVersion) > 0) {
    throw new TscomposeError(
      'invalid',
      `client version ${version} is too new. Maximum supported API version is ${apiVersion}`,
    );
  }
  if (compareVersions(version, oldestServedVersion) < 0) {
    const reason = `Minimum supported API version is ${oldestServedVersion}, please upgrade your client to a newer version`;
    throw new TscomposeError('invalid', `client version ${version} is too old. ${reason}`);
  }
  return path.slice(found[0].length);
}
