import {parseCacheFrom, parseCacheTo} from '../../api/build-caches.ts';
import {parseProvenance} from '../../api/build-provenance.ts';
import {unknownContextKind} from '../../api/build-source.ts';
import type {Json} from '../../base/canonical-json.ts';
import {sortedMembers} from '../sorted.ts';
import type {Entry, Tree} from '../tree.ts';
import {isNull, isText, mapEntries, objectAt, scalar, withMember} from '../tree.ts';
import type {Service} from '../types.ts';
import type {Build, BuildSecret} from '../types-build.ts';
import type {Attribute, FilePlace} from './attribute.ts';
import {readMode} from './files.ts';
import {extra_hosts} from './networks.ts';
import {itself, labelMap} from './process.ts';
import {boolean, bytes, list, object, type Reader, record, refine, text, textOrNull, texts, wrong} from './readers.ts';
import {ulimits} from './resources.ts';
import {absoluteText, keyValues, oneToList, textItemsTo} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** What is no path of the machine: a URL, the address of a repository, another service or an image. */
function isRemote(context: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|service:)/i.test(context);
}

/** A main context that is fetched is a repository, an archive or a file: none of what only named ones can be. */
function isNoMainContext(context: string): boolean {
  return /^(?:docker-image|oci-layout|service):/.test(context) || unknownContextKind(context) !== undefined;
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && !/^(?:false|0|f|no|off)$/i.test(value);
}

/** `linux/amd64`, `arm64`: os, architecture and variant. */
function isPlatform(text: string): boolean {
  return /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+){0,2}$/.test(text);
}

function isReadable(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

/** `default`, `ID` or `ID=PATH`; a list or a mapping of them. */
function expandSsh(node: Tree, place: FilePlace): Tree {
  return mapEntries(keyValues('')(oneToList(node)), (value) => absoluteText(value, place.absolute));
}

function expandContext(node: Tree, {absolute}: FilePlace): Tree {
  return isText(node) && isRemote(node.value) ? node : absoluteText(node, absolute);
}

function expand(node: Tree, place: FilePlace): Tree {
  const long = isText(node) ? objectAt({context: node.value}, node.at) : node;
  const changes: Readonly<Record<string, (value: Tree) => Tree>> = {
    context: (value) => expandContext(value, place),
    args: keyValues(null),
    labels: keyValues(''),
    extra_hosts: (value) => extra_hosts.expand?.(value, {...place, where: `${place.where}.extra_hosts`}) ?? value,
    additional_contexts: (value) => mapEntries(keyValues('')(value), (context) => expandContext(context, place)),
    secrets: textItemsTo('source'),
    ssh: (value) => expandSsh(value, place),
    no_cache_filter: oneToList,
  };
  const changed = Object.entries(changes).reduce((tree, [name, change]) => withMember(tree, name, change), long);
  return changed.kind === 'mapping' && node.directive !== undefined ? {...changed, directive: node.directive} : changed;
}

const truthOrText: Reader<string> = (node) =>
  node.kind === 'scalar' && node.value !== null ? String(node.value) : undefined;

const readSecrets: Reader<readonly BuildSecret[]> = list(
  refine(
    object<Partial<BuildSecret>>({source: text, target: text, uid: text, gid: text, mode: readMode}),
    (value): BuildSecret | undefined => (value.source === undefined ? undefined : {...value, source: value.source}),
  ),
);

const entitlementNames: readonly string[] = ['network.host', 'security.insecure'];

const nullIsValue = {nullIsValue: true} as const;
const unique = {unique: itself} as const;

const build: Row<'build'> = {
  expand,
  merge: {
    members: {
      args: nullIsValue,
      labels: nullIsValue,
      additional_contexts: nullIsValue,
      tags: unique,
      extra_hosts: {each: unique},
      secrets: {append: true},
      ulimits: {each: {replace: true}},
    },
  },
  read: refine(
    object<Partial<Build>>({
      context: text,
      dockerfile: text,
      dockerfile_inline: text,
      entitlements: texts,
      args: record(textOrNull),
      provenance: truthOrText,
      sbom: truthOrText,
      ssh: labelMap,
      labels: labelMap,
      cache_from: texts,
      cache_to: texts,
      no_cache: boolean,
      no_cache_filter: texts,
      additional_contexts: labelMap,
      pull: boolean,
      extra_hosts: extra_hosts.read,
      isolation: text,
      network: text,
      target: text,
      secrets: readSecrets,
      shm_size: bytes,
      tags: texts,
      ulimits: ulimits.read,
      platforms: texts,
      privileged: boolean,
    }),
    ({context = '', ...value}, node, where): Build | undefined => {
      if (value.dockerfile !== undefined && value.dockerfile_inline !== undefined)
        return wrong(node, where, {
          message: 'dockerfile and dockerfile_inline cannot be used together',
          hint: 'remove one of them',
        });
      const named = value.dockerfile_inline === undefined ? {dockerfile: value.dockerfile ?? 'Dockerfile'} : {};
      return {context, ...named, ...value};
    },
  ),
  spec: () => undefined,
  render: renderBuild,
  change: 'none',
  limits: [
    {
      by: 'tscompose',
      of: 'context or additional_contexts of kinds that only other programs know (`s3://`)',
      reason: 'contexts are directories, repositories, archives of the network, images and other services',
      hint: 'name one of these',
      where: ({context, additional_contexts: more = {}}) => [
        ...(isNoMainContext(context) ? ['context'] : []),
        ...Object.keys(more).flatMap((name) =>
          unknownContextKind(more[name] ?? '') === undefined ? [] : [`additional_contexts.${name}`],
        ),
      ],
    },
    {
      by: 'tscompose',
      of: 'cache_from and cache_to of other types than registry, local and inline, or with keys that are not known',
      reason: 'such a cache can neither be read nor written',
      hint: 'write type=registry,ref=NAME or type=local with src or dest',
      ofValue: true,
      where: ({cache_from: from = [], cache_to: to = []}) => [
        ...from.flatMap((text, index) =>
          isReadable(() => parseCacheFrom(text, String)) ? [] : [`cache_from[${index}]`],
        ),
        ...to.flatMap((text, index) => (isReadable(() => parseCacheTo(text, String)) ? [] : [`cache_to[${index}]`])),
      ],
    },
    {
      by: 'tscompose',
      of: 'provenance and platforms that cannot be read',
      reason: 'it is not known what is meant',
      hint: 'write true, false, or mode=min or mode=max; platforms as linux/arm64',
      ofValue: true,
      where: ({provenance = 'false', platforms = []}) => [
        ...(isReadable(() => parseProvenance(provenance)) ? [] : ['provenance']),
        ...platforms.flatMap((text, index) => (isPlatform(text) ? [] : [`platforms[${index}]`])),
      ],
    },
    {
      by: 'tscompose',
      of: 'sbom that is on',
      reason: 'what is in an image is not attested',
      hint: 'remove it',
      where: ({sbom}) => (isOn(sbom) ? ['sbom'] : []),
    },
    {
      by: 'tscompose',
      of: 'isolation other than default',
      reason: 'other ways to isolate a step are of Windows',
      hint: 'remove it, or write default',
      ofValue: true,
      where: ({isolation = 'default'}) => (isolation === 'default' || isolation === '' ? [] : ['isolation']),
    },
    {
      by: 'tscompose',
      of: 'entitlements other than network.host and security.insecure',
      reason: 'steps can ask for nothing else',
      hint: 'remove it',
      ofValue: true,
      where: ({entitlements = []}) =>
        entitlements.flatMap((name, index) => (entitlementNames.includes(name) ? [] : [`entitlements[${index}]`])),
    },
    {
      by: 'tscompose',
      of: 'network other than default, none and host',
      reason: 'a build knows no networks of stacks',
      hint: 'write default, none or host',
      ofValue: true,
      where: ({network = 'default'}) => (['default', 'none', 'host'].includes(network) ? [] : ['network']),
    },
  ],
};

/** In the order of Compose; nothing that says nothing. */
function renderBuild(value: Build): Json {
  const order = [
    'context',
    'dockerfile',
    'dockerfile_inline',
    'entitlements',
    'args',
    'provenance',
    'sbom',
    'ssh',
    'labels',
    'cache_from',
    'cache_to',
    'no_cache',
    'no_cache_filter',
    'additional_contexts',
    'pull',
    'extra_hosts',
    'isolation',
    'network',
    'target',
    'secrets',
    'shm_size',
    'tags',
    'ulimits',
    'platforms',
    'privileged',
  ] as const satisfies readonly (keyof Build)[];
  const result: Record<string, Json> = {};
  for (const name of order) {
    const member = value[name];
    if (member === undefined || member === false || member === '' || member === 0) continue;
    if (typeof member === 'object' && Object.keys(member).length === 0) continue;
    result[name] = renderMember(name, value);
  }
  return result;
}

function renderMember(name: keyof Build, value: Build): Json {
  switch (name) {
    case 'ssh':
      // As a list: that is what Compose reads.
      return Object.entries(value.ssh ?? {}).map(([id, path]) => (path === '' ? id : `${id}=${path}`));
    case 'args':
      return sortedMembers(value.args ?? {});
    case 'labels':
      return sortedMembers(value.labels ?? {});
    case 'additional_contexts':
      return sortedMembers(value.additional_contexts ?? {});
    case 'extra_hosts':
      return extra_hosts.render?.(value.extra_hosts ?? {}) ?? null;
    case 'ulimits':
      return ulimits.render?.(value.ulimits ?? {}) ?? null;
    case 'shm_size':
      return String(value.shm_size);
    case 'secrets':
      return (value.secrets ?? []).map(({source, target, uid, gid, mode}) => ({
        source,
        ...(target === undefined ? {} : {target}),
        ...(uid === undefined ? {} : {uid}),
        ...(gid === undefined ? {} : {gid}),
        ...(mode === undefined ? {} : {mode: `0${mode.toString(8)}`}),
      }));
    default:
      return value[name] as Json;
  }
}

/** Arguments without a value take the environment's; one that is not set is gone. */
export function resolveArguments(args: Tree, environment: ReadonlyMap<string, string>): Tree {
  if (args.kind !== 'mapping') return args;
  const entries = new Map<string, Entry>();
  for (const [name, entry] of args.entries) {
    const value = isNull(entry.value) ? environment.get(name) : undefined;
    if (!isNull(entry.value)) entries.set(name, entry);
    else if (value !== undefined) entries.set(name, {key: entry.key, value: scalar(value, entry.key)});
  }
  return {...args, entries};
}

export const buildAttributes = {build} as const;
