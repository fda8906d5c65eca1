import {TscomposeError} from '../../base/errors.ts';

/** The parts of an image's name, everything filled in (https://pkg.go.dev/github.com/distribution/reference). */
export interface Reference {
  /** `docker.io`, `localhost:5000`. */
  readonly registry: string;
  /** `library/redis`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…`; it decides where a tag is given too. */
  readonly digest?: string;
}

const defaultRegistry = 'docker.io';
const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;
const registryPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;

/** `sha256:` and 64 hex digits. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** Reads a name as people write it: `redis`, `library/redis:7`, `localhost:5000/a@sha256:…`. Throws `invalid`. */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid(text);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) throw invalid(text);
  const {registry, repository} = splitRegistry(hasTag ? named.slice(0, colon) : named);
  const wrong =
    !registryPattern.test(registry) ||
    !repository.split('/').every((part) => component.test(part)) ||
    registry.length + 1 + repository.length > 255 ||
    // 64 hex digits alone are an image's id.
    /^[0-9a-f]{64}$/.test(text);
  if (wrong) throw invalid(text);
  return {
    registry,
    repository,
    ...(tag !== undefined ? {tag} : digest === undefined ? {tag: 'latest'} : {}),
    ...(digest === undefined ? {} : {digest}),
  };
}

/** A first component is a registry where it could not be a user's name. */
function splitRegistry(name: string): {readonly registry: string; readonly repository: string} {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  if (first === '' || !(/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase())) {
    return {registry: defaultRegistry, repository: slash < 0 ? `library/${name}` : name};
  }
  const rest = name.slice(slash + 1);
  if (first !== defaultRegistry && first !== 'index.docker.io') return {registry: first, repository: rest};
  return {registry: defaultRegistry, repository: rest.includes('/') ? rest : `library/${rest}`};
}

function invalid(text: string): TscomposeError {
  const upper = /[A-Z]/.test(text.replace(/[:@][^/]*$/, ''));
  const reason = upper ? 'repository name must be lowercase' : 'invalid reference format';
  return new TscomposeError('invalid', `invalid image name "${text}": ${reason}`);
}

/** `docker.io/library/redis:latest`: what records are kept under. With a digest, the tag is left out. */
export function formatReference({registry, repository, tag, digest}: Reference): string {
  return digest === undefined ? `${registry}/${repository}:${tag}` : `${registry}/${repository}@${digest}`;
}

export function normaliseReference(text: string): string {
  return formatReference(parseReference(text));
}

/** As shown to people: `redis:latest`, `localhost:5000/a:1`. */
export function familiarReference(normalised: string): string {
  return normalised.replace(/^docker\.io\/(?:library\/)?/, '');
}
