import {TscomposeError} from '../base/errors.ts';
import {redactUrls} from '../base/redact-url.ts';
import {parseGitReference} from './git-reference.ts';
import type {BuildContextSource, FetchedSource} from './types/build.ts';

const imagePrefix = 'docker-image://';
const layoutPrefix = 'oci-layout://';

/** A context of the network: a repository, or an archive or file of a server. Undefined for a directory. Throws `invalid`. */
export function readFetchedSource(text: string): FetchedSource | undefined {
  if (parseGitReference(text) !== undefined) return {kind: 'git', url: text};
  if (!/^https?:\/\//.test(text)) return undefined;
  if (!URL.canParse(text)) throw new TscomposeError('invalid', `"${redactUrls(text)}" is no address`);
  return {kind: 'http', url: text};
}

/**
 * A named context, as `--build-context` and stack files have it. `absolute` makes a path of this machine whole. Throws
 * `invalid`, and `unsupported` for what only other programs know.
 */
export function readContextSource(text: string, absolute: (path: string) => string): BuildContextSource {
  if (text.startsWith(imagePrefix)) return {kind: 'image', reference: text.slice(imagePrefix.length)};
  if (text.startsWith(layoutPrefix)) return readLayout(text.slice(layoutPrefix.length), absolute);
  const fetched = readFetchedSource(text);
  if (fetched !== undefined) return fetched;
  const kind = unknownContextKind(text);
  if (kind === undefined) return {kind: 'directory', path: absolute(text)};
  throw new TscomposeError(
    'unsupported',
    `build context "${redactUrls(text)}": contexts of the kind "${kind}" are not supported`,
    {
      hint:
        kind === 'target'
          ? 'only bake knows other builds; name a stage in the Dockerfile itself, or another service in a stack file ("service:NAME")'
          : 'name a directory, a repository, an archive by http, docker-image://NAME or oci-layout://PATH',
    },
  );
}

/** What a text begins with that looks like a kind of context and is none of ours. */
export function unknownContextKind(text: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1];
  if (scheme !== undefined) return /^(?:docker-image|oci-layout|https?|ssh|git)$/.test(scheme) ? undefined : scheme;
  return /^(target|input|local|session):/.exec(text)?.[1];
}

/** `path`, `path:tag`, `path@sha256:…`. */
function readLayout(text: string, absolute: (path: string) => string): BuildContextSource {
  const [, path = '', tag, digest] =
    /^(.*?)(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@([a-z0-9]+:[0-9a-f]+))?$/s.exec(text) ?? [];
  if (path === '') throw new TscomposeError('invalid', `build context "oci-layout://${text}" names no directory`);
  return {
    kind: 'layout',
    path: absolute(path),
    ...(digest === undefined ? {} : {digest}),
    ...(tag === undefined ? {} : {tag}),
  };
}
