import {dirname} from 'node:path';
import {didYouMean} from '../../base/suggest.ts';
import {type Span, withStep} from '../source.ts';
import type {Entry, MappingNode, Tree} from '../tree.ts';
import {isText, mapEntries, sizeOf} from '../tree.ts';
import {
  type Assembly,
  absolutePath,
  type Document,
  type Reference,
  readReferenced,
  refuseRemote,
  type Scope,
  withVariables,
} from './assembly.ts';
import {deepest} from './depth.ts';
import {expandFile} from './expand.ts';
import {layer, serviceRule, settle} from './merge.ts';

/** Values that services take over, all together: far above any real stack. */
const mostValues = 500_000;

/** The services of one file, among which `extends` without a file looks. */
interface ServiceSet {
  readonly path: string;
  readonly shown: string;
  readonly services: ReadonlyMap<string, Entry>;
  readonly scope: Scope;
  readonly done: Map<string, Tree>;
}

interface Extension {
  readonly assembly: Assembly;
  /** Files that were read already, by path. */
  readonly sets: Map<string, ServiceSet | undefined>;
}

interface Link {
  readonly set: ServiceSet;
  readonly service: string;
}

/**
 * Services with what they extend below them: of the same document, or of another file, whose relative paths begin where
 * that file lies. A chain that leads back to itself is a problem that shows the whole way.
 */
export async function applyExtends(document: Document, scope: Scope, assembly: Assembly): Promise<Tree> {
  const section = document.tree.kind === 'mapping' ? document.tree.entries.get('services') : undefined;
  if (section?.value.kind !== 'mapping' || document.tree.kind !== 'mapping') return document.tree;
  const {entries} = section.value;
  if (![...entries.values()].some(({value}) => value.kind === 'mapping' && value.entries.has('extends')))
    return document.tree;
  const {path, shown} = document.file;
  const set: ServiceSet = {path, shown, services: entries, scope, done: new Map()};
  const extension: Extension = {assembly, sets: new Map()};
  const services = new Map<string, Entry>();
  for (const [name, {key}] of entries) {
    const value = await extended({set, service: name}, [], extension);
    if (value !== undefined) services.set(name, {key, value});
  }
  const whole = {...section.value, entries: services};
  return {...document.tree, entries: new Map([...document.tree.entries, ['services', {...section, value: whole}]])};
}

async function extended(link: Link, chain: readonly Link[], extension: Extension): Promise<Tree | undefined> {
  const {set, service} = link;
  const node = set.services.get(service)?.value;
  const known = set.done.get(service);
  if (known !== undefined || node?.kind !== 'mapping' || !node.entries.has('extends')) return known ?? node;
  const own = without(node, 'extends');
  const stated = readExtends(node, link, extension.assembly);
  const base = stated === undefined ? undefined : await baseOf(stated, [...chain, link], extension);
  // One that could not be followed stays where it stands: what it would have brought is not missing.
  const result = base === undefined ? node : layer(base, own, serviceRule);
  set.done.set(service, result);
  return result;
}

async function baseOf(stated: Stated, chain: readonly Link[], extension: Extension): Promise<Tree | undefined> {
  const {problems} = extension.assembly;
  const from = chain.at(-1);
  if (from === undefined) return undefined;
  const set = stated.file === undefined ? from.set : await fileSet(stated.file, {stated, from}, extension);
  if (set === undefined) return undefined;
  const start = chain.findIndex((link) => link.set.path === set.path && link.service === stated.service);
  if (start !== -1) {
    const names = [...chain.slice(start), {set, service: stated.service}].map(
      (link) => `${link.service} (${link.set.shown})`,
    );
    problems.error(stated.at, {
      code: 'cycle',
      message: `services extend each other in a circle: ${names.join(' → ')}`,
      hint: 'remove one of these "extends"',
    });
    return undefined;
  }
  if (!set.services.has(stated.service)) {
    problems.error(stated.serviceAt, {
      code: 'undefined-name',
      message: `${stated.where}: the service "${stated.service}" is not defined in ${set.shown}`,
      hint: didYouMean(stated.service, set.services.keys()) ?? `define it in ${set.shown}, or extend another one`,
    });
    return undefined;
  }
  if (chain.length >= deepest) {
    problems.error(stated.at, {
      code: 'too-deep',
      once: 'extends too deep',
      message: `${stated.where}: services extend each other more than ${deepest} levels deep`,
      hint: 'extend a service further down the chain',
    });
    return undefined;
  }
  const base = await extended({set, service: stated.service}, chain, extension);
  if (base?.kind !== 'mapping') return undefined;
  const hint = 'extend a smaller service';
  const growth = {what: 'values by "extends"', amount: sizeOf(base), most: mostValues, hint};
  if (!problems.allows(stated.at, growth)) return undefined;
  // Marks of the base count where the base stands, not where it is used.
  const plain = settle(base, serviceRule);
  const step = {kind: 'extends', service: stated.service, at: stated.at} as const;
  const marked = mapEntries(plain, (value) => ({...value, at: withStep(value.at, step)}));
  return {...marked, at: withStep(marked.at, step)};
}

interface Stated {
  readonly service: string;
  readonly file: string | undefined;
  readonly where: string;
  readonly at: Span;
  readonly serviceAt: Span;
  readonly fileAt: Span;
}

/** `extends: NAME`, or `extends: {service: NAME, file: PATH}`. */
function readExtends(node: MappingNode, {service}: Link, {problems}: Assembly): Stated | undefined {
  const entry = node.entries.get('extends');
  if (entry === undefined) return undefined;
  const {value} = entry;
  const where = `services.${service}.extends`;
  if (isText(value))
    return {service: value.value, file: undefined, where, at: entry.key, serviceAt: value.at, fileAt: value.at};
  const wrong = (at: Span, message: string, hint?: string): undefined => {
    problems.error(at, {
      code: 'wrong-value',
      message: `${where}: ${message}`,
      hint: hint ?? 'write {file: FILE, service: NAME}',
    });
    return undefined;
  };
  if (value.kind !== 'mapping') return wrong(value.at, 'expected the name of a service, or a mapping with service');
  for (const [key, {key: at}] of value.entries) {
    if (key !== 'service' && key !== 'file') {
      problems.error(at, {
        code: 'unknown-key',
        message: `${where}: unknown attribute "${key}"`,
        hint: didYouMean(key, ['service', 'file']) ?? 'remove it: there are only service and file',
      });
    }
  }
  const name = value.entries.get('service');
  const file = value.entries.get('file');
  if (name === undefined) {
    problems.error(entry.key, {
      code: 'missing-key',
      message: `${where}: "service" is missing`,
      hint: 'add service: NAME',
    });
    return undefined;
  }
  if (!isText(name.value)) return wrong(name.value.at, 'service: expected the name of a service');
  if (file !== undefined && !isText(file.value)) return wrong(file.value.at, 'file: expected a path');
  return {
    service: name.value.value,
    file: file !== undefined && isText(file.value) ? file.value.value : undefined,
    where,
    at: entry.key,
    serviceAt: name.value.at,
    fileAt: file?.value.at ?? value.at,
  };
}

/** The services of another file, read once. */
async function fileSet(
  file: string,
  {stated, from}: {readonly stated: Stated; readonly from: Link},
  {assembly, sets}: Extension,
): Promise<ServiceSet | undefined> {
  const reference: Reference = {at: stated.fileAt, where: stated.where};
  if (refuseRemote(file, reference, assembly)) return undefined;
  const path = absolutePath(file, from.set.scope, {...assembly, pathResolution: true});
  if (sets.has(path)) return sets.get(path);
  const documents = await readReferenced(path, reference, assembly);
  const [first] = documents ?? [];
  let set: ServiceSet | undefined;
  if (documents !== undefined && first !== undefined) {
    const scope: Scope = {...from.set.scope, directory: dirname(path)};
    const absolute = (value: string): string => absolutePath(value, scope, assembly);
    const trees = documents.map(({tree}) =>
      expandFile(
        withVariables(tree, scope, assembly),
        {problems: assembly.problems, absolute},
        !assembly.interpolation,
      ),
    );
    const services = trees.reduce((base, over) => layer(base, over));
    const section = services.kind === 'mapping' ? services.entries.get('services')?.value : undefined;
    const entries = section?.kind === 'mapping' ? section.entries : new Map<string, Entry>();
    set = {path, shown: first.file.shown, services: entries, scope, done: new Map()};
  }
  sets.set(path, set);
  return set;
}

function without(node: MappingNode, key: string): MappingNode {
  const entries = new Map(node.entries);
  entries.delete(key);
  return {...node, entries};
}
