import {suggest} from '../../base/suggest.ts';
import type {Tree} from '../tree.ts';
import {isNull} from '../tree.ts';
import type {FileObject, Model, Network, Volume} from '../types.ts';
import {labelMap} from './process.ts';
import {boolean, integer, list, object, type ReadContext, type Reader, record, text, texts, wrong} from './readers.ts';

export interface ResourceContext extends ReadContext {
  readonly projectName: string;
  readonly key: string;
}

/** True, or the old form `external: {name: X}`. */
function readExternal(
  node: Tree,
  context: ReadContext,
): {readonly external: boolean; readonly name: string | undefined} {
  const value = node.kind === 'mapping' ? node.entries.get('external')?.value : undefined;
  if (value === undefined || isNull(value)) return {external: false, name: undefined};
  if (value.kind === 'scalar') return {external: boolean(value, context) ?? false, name: undefined};
  const name = value.kind === 'mapping' ? value.entries.get('name')?.value : undefined;
  context.problems.warning(value.at, {
    code: 'old-form',
    message: `${context.where}: external.name is an old form`,
    hint: 'write "external: true" and "name: …" next to each other',
  });
  return {external: true, name: name === undefined ? undefined : text(name, context)};
}

/** Name and `external`; what cannot be used together with `external` is reported, where there is such. */
function readIdentity(
  node: Tree,
  context: ResourceContext,
  allowed?: readonly string[],
): {readonly name: string; readonly external?: true} {
  const {external, name: externalName} = readExternal(node, context);
  const nameNode = node.kind === 'mapping' ? node.entries.get('name')?.value : undefined;
  const name = nameNode === undefined || isNull(nameNode) ? undefined : text(nameNode, context);
  if (!external) return {name: name ?? `${context.projectName}_${context.key}`};
  if (node.kind === 'mapping' && allowed !== undefined) {
    for (const [key, entry] of node.entries) {
      if (allowed.includes(key) || key.startsWith('x-')) continue;
      context.problems.error(entry.key, {
        code: 'conflict',
        message: `${context.where}: "${key}" and "external" cannot be used together`,
        hint: `remove "${key}", or remove "external" if it is to be created here`,
      });
    }
  }
  return {name: externalName ?? name ?? context.key, external: true};
}

const readNetworkBody: Reader<Omit<Network, 'name' | 'external'>> = object<Omit<Network, 'name' | 'external'>>({
  driver: text,
  driver_opts: record(text),
  internal: boolean,
  attachable: boolean,
  enable_ipv4: boolean,
  enable_ipv6: boolean,
  ipam: object<NonNullable<Network['ipam']>>({
    driver: text,
    config: list(object({subnet: text, ip_range: text, gateway: text, aux_addresses: record(text)})),
    options: record(text),
  }),
  labels: labelMap,
});

export function readNetwork(node: Tree, context: ResourceContext): Network {
  return {...readNetworkBody(node, context), ...readIdentity(node, context)};
}

const readVolumeBody = object<Omit<Volume, 'name' | 'external'>>({
  driver: text,
  driver_opts: record(text),
  labels: labelMap,
});

export function readVolume(node: Tree, context: ResourceContext): Volume {
  return {...readVolumeBody(node, context), ...readIdentity(node, context, ['name', 'external'])};
}

const readFileBody = object<Omit<FileObject, 'name' | 'external' | 'digest' | 'value'>>({
  file: text,
  content: text,
  environment: text,
  labels: labelMap,
  driver: text,
  driver_opts: record(text),
  template_driver: text,
});

export function readFileObject(node: Tree, context: ResourceContext): FileObject {
  const object = {...readFileBody(node, context), ...readIdentity(node, context, ['name', 'external', 'labels'])};
  if (object.external === true || object.driver !== undefined) return object;
  const origins = (['file', 'content', 'environment'] as const).filter((origin) => object[origin] !== undefined);
  if (origins.length !== 1 && !(origins.length === 0 && isMistyped(node))) {
    wrong(node, context, {
      message: origins.length === 0 ? 'it has no content' : `${origins.join(' and ')} cannot be used together`,
      hint: `give ${origins.length === 0 ? 'one' : 'only one'} of file, ${context.where.startsWith('configs') ? 'content, ' : ''}environment`,
    });
  }
  return object;
}

/** A member that is nearly the name of a source: that alone is told. */
function isMistyped(node: Tree): boolean {
  const names = node.kind === 'mapping' ? [...node.entries.keys()] : [];
  return names.some((name) => suggest(name, ['file', 'content', 'environment']) !== undefined);
}

export function readModel(node: Tree, context: ResourceContext): Model {
  const read = object<Partial<Model>>({name: text, model: text, context_size: integer, runtime_flags: texts});
  return {model: '', ...read(node, context)};
}
