import {readFetchedSource} from '../../api/build-source.ts';
import type {BuildBody, BuildContextSource, FetchedSource} from '../../api/types/build.ts';
import type {Ulimit} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {redactUrls} from '../../base/redact-url.ts';

/** What clients say to the Dockerfile frontend, as a build is asked for; contexts that the client sends by their names there. */
export interface FrontendOptions {
  readonly body: Omit<BuildBody, 'dockerfile' | 'context' | 'ignore' | 'tags'>;
  readonly filename: string;
  /** The Dockerfile is one of the client's files, also where the main context is none. */
  readonly sendsDockerfile: boolean;
  /** The main context is no directory of the client: an archive that it uploads under this name, or something to be fetched. */
  readonly main: {readonly upload: string} | {readonly source: FetchedSource} | undefined;
  /** Names of the client's directories. */
  readonly directories: {readonly context: string; readonly dockerfile: string};
  /** Named contexts and the directories of the client that they are. */
  readonly sent: Readonly<Record<string, string>>;
  /** Whose directories they are, where that is another session than the build's. */
  readonly sessions: Readonly<Record<string, string>>;
}

type Options = Readonly<Record<string, string>>;

/** Says nothing to us: what it is about is told elsewhere, or told to the makers of other frontends. */
const ignored =
  /^(?:filename|contextkey|dockerfilekey|cmdline|source|frontend\.caps|multi-platform|entitlements|cache-from|cache-imports|no-cache|local-sessionid:.*|vcs:.*|sharedkey.*|input-metadata:.*|image-resolve-mode|target|platform|add-hosts|shm-size|ulimit|cgroup-parent|force-network-mode|build-arg:.*|label:.*|context:.*)$/;

/** What else a client says of a build. */
export interface Beside {
  readonly entitlements: readonly string[];
  /** Images that other builds of the same client came to, by the names that contexts have for them. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** Throws `unsupported` by name for what would not be done, `invalid` for what cannot be read. */
export function readFrontendOptions(options: Options, {entitlements, inputs}: Beside): FrontendOptions {
  refuse(options);
  const contexts = contextsOf(options, inputs);
  return {
    filename: options['filename'] || 'Dockerfile',
    sendsDockerfile: (options['dockerfilekey'] ?? '') !== '',
    main: mainOf(options['context']),
    directories: {context: options['contextkey'] || 'context', dockerfile: options['dockerfilekey'] || 'dockerfile'},
    sent: contexts.sent,
    sessions: prefixed(options, 'local-sessionid:'),
    body: {
      ...(options['target'] ? {target: options['target']} : {}),
      platforms: (options['platform'] ?? '').split(',').filter((word) => word !== ''),
      ...(options['shm-size'] ? {shmSize: numberOf('shm-size', options['shm-size'])} : {}),
      ...(options['cgroup-parent'] ? {cgroupParent: options['cgroup-parent']} : {}),
      ...{arguments: prefixed(options, 'build-arg:'), labels: prefixed(options, 'label:'), contexts: contexts.named},
      noCache: noCacheOf(options['no-cache']),
      ...(options['image-resolve-mode'] === 'pull' ? {pull: true} : {}),
      network: networkOf(options['force-network-mode'] ?? ''),
      extraHosts: fields(options['add-hosts']).map(hostOf),
      ulimits: fields(options['ulimit']).map(ulimitOf),
      allow: entitlements.filter((name) => name === 'network.host' || name === 'security.insecure'),
      ...{secrets: [], agents: []},
    },
  };
}

function refuse(options: Options): void {
  for (const [name, value] of Object.entries(options)) {
    if (name === 'requestid' && value !== '') throw unsupported(`requests of the frontend ("${value}")`);
    if (name.startsWith('attest:')) {
      // What is only kept where the image goes to a registry is nothing that a local image would have.
      if (value === 'disabled=true' || value.includes('inline-only=true')) continue;
      throw unsupported(`attestations ("${name}")`);
    }
    if (name === 'requestid' || name === 'context' || ignored.test(name)) continue;
    throw unsupported(`option "${name}"`);
  }
}

function mainOf(context = ''): FrontendOptions['main'] {
  if (context === '') return undefined;
  const [, upload] = /^http:\/\/buildkit-session(\/\w+)$/.exec(context) ?? [];
  if (upload !== undefined) return {upload};
  const source = readFetchedSource(context);
  if (source === undefined) throw unsupported(`the context "${redactUrls(context)}"`);
  return {source};
}

function unsupported(what: string): TscomposeError {
  return new TscomposeError('unsupported', `cannot build: ${what} is not supported`);
}

function prefixed(options: Options, prefix: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(options).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [],
    ),
  );
}

function contextsOf(
  options: Options,
  inputs: Beside['inputs'],
): {
  readonly named: Readonly<Record<string, BuildContextSource>>;
  readonly sent: Readonly<Record<string, string>>;
} {
  const named: Record<string, BuildContextSource> = {};
  const sent: Record<string, string> = {};
  for (const [written, source] of Object.entries(prefixed(options, 'context:'))) {
    // A name may say which platform it is meant for.
    const name = written.split('::')[0] ?? written;
    const [, kind, rest = ''] = /^([a-z-]+):(?:\/\/)?(.*)$/.exec(source) ?? [];
    if (kind === 'local') {
      sent[name] = rest;
      named[name] = {kind: 'directory', path: '/'};
    } else if (kind === 'docker-image') named[name] = {kind: 'image', reference: rest};
    else if (kind === 'input') named[name] = {kind: 'image', reference: inputOf(inputs, rest), built: true};
    else throw unsupported(`the context "${name}" (${source})`);
  }
  return {named, sent};
}

function inputOf(inputs: Beside['inputs'], name: string): string {
  const reference = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
  if (reference !== undefined) return reference;
  throw new TscomposeError('invalid', `the input "${name}" did not come with the build`);
}

/** Without stages: none is taken from the cache. */
function noCacheOf(value: string | undefined): BuildBody['noCache'] {
  if (value === undefined) return false;
  return value === '' ? true : value.split(',');
}

function networkOf(mode: string): BuildBody['network'] {
  if (mode === '' || mode === 'sandbox' || mode === 'default') return 'default';
  if (mode === 'none' || mode === 'host') return mode;
  throw unsupported(`network "${mode}"`);
}

function fields(value: string | undefined): readonly string[] {
  return (value ?? '').split(',').filter((field) => field !== '');
}

/**
 * What clients write in place of `host-gateway`: they ask for an address beforehand, and which one that is depends on the
 * network that a step has. Nobody has this one (RFC 7600).
 */
export const hostGateway = '192.0.0.8';

/** `name=address`. */
function hostOf(field: string): string {
  const [name = '', address = ''] = field.split(/=(.*)/s);
  return `${name}:${address === hostGateway ? 'host-gateway' : address}`;
}

/** `nofile=1024:2048`. */
function ulimitOf(field: string): Ulimit {
  const [, Name = '', soft = '', hard = soft] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(field) ?? [];
  if (Name === '') throw new TscomposeError('invalid', `ulimit "${field}" is no limit`);
  return {Name, Soft: Number(soft), Hard: Number(hard)};
}

function numberOf(name: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value);
  throw new TscomposeError('invalid', `${name} "${value}" is no number of bytes`);
}
