import {
  Alias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type ParsedNode,
  parseAllDocuments,
  type YAMLMap,
  type YAMLSeq,
  type Scalar as YamlScalar,
} from 'yaml';
import {didYouMean} from '../../base/suggest.ts';
import type {Problems} from '../problems.ts';
import {type SourceFile, type Span, withStep} from '../source.ts';
import type {Entry, Scalar, Tree} from '../tree.ts';
import {isNull, mapEntries, scalar} from '../tree.ts';
import {deepest, isShallow, tooDeep} from './depth.ts';
import {floatSpelling, resolvePlainScalar} from './scalars.ts';
import {reportSyntax} from './syntax.ts';

/** Aliases can name a text that unfolds without end: this is far above any real file. */
const mostNodes = 200_000;
/** Characters that aliases may bring. */
const mostCharacters = 64 * 1024 * 1024;
/** What follows the first ones follows from them. */
const mostSyntaxErrors = 20;

/**
 * Reads the YAML documents of a file into trees with places. Anchors, aliases and merge keys are followed, anchors also
 * into later documents, as Compose does; a key given twice is a problem. An empty document gives no tree.
 */
export function parseStackFile(source: SourceFile, problems: Problems): readonly Tree[] {
  if (!isShallow(source, problems)) return [];
  // Scalars are resolved here, not by the library: the library's schemas differ from what Compose reads.
  const documents = parseDocuments(source.text);
  const trees: Tree[] = [];
  const conversion: Conversion = {
    source,
    problems,
    anchors: new Map(),
    size: 0,
    characters: 0,
    depth: 0,
    tooLarge: false,
  };
  if (!('length' in documents)) return trees;
  for (const document of documents) {
    for (const error of document.errors.slice(0, mostSyntaxErrors)) reportSyntax(error, {source, document, problems});
    if (document.errors.length > 0 || document.contents === null) continue;
    const tree = convert(document.contents, conversion);
    if (!isNull(tree)) trees.push(tree);
  }
  return trees;
}

/** The parser makes an error for each thing it meets; where there are thousands, their traces are what takes the time. */
function parseDocuments(text: string): ReturnType<typeof parseAllDocuments<ParsedNode>> {
  const {stackTraceLimit} = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseAllDocuments(text, {schema: 'failsafe', uniqueKeys: false, prettyErrors: false, logLevel: 'silent'});
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

interface Conversion {
  readonly source: SourceFile;
  readonly problems: Problems;
  readonly anchors: Map<string, {readonly tree: Tree; readonly size: number; readonly characters: number}>;
  size: number;
  characters: number;
  depth: number;
  tooLarge: boolean;
}

function spanOf(node: {readonly range?: readonly number[] | null | undefined}, source: SourceFile): Span {
  const [start = 0, end = start] = node.range ?? [];
  return {source, start, end};
}

function convert(node: Node, conversion: Conversion): Tree {
  const at = spanOf(node, conversion.source);
  if (node instanceof Alias) return followAlias(node.source, at, conversion);
  const {size, characters} = conversion;
  conversion.size += 1;
  if (conversion.depth >= deepest) {
    tooDeep(at, conversion.problems);
    return scalar(null, at);
  }
  conversion.depth += 1;
  const tree = withDirective(convertOwn(node, at, conversion), node.tag, conversion);
  conversion.depth -= 1;
  if (!(node instanceof Alias) && 'anchor' in node && node.anchor !== undefined) {
    const own = {size: conversion.size - size, characters: conversion.characters - characters};
    conversion.anchors.set(node.anchor, {tree, ...own});
  }
  return tree;
}

function convertOwn(node: Node, at: Span, conversion: Conversion): Tree {
  if (isMap(node)) return convertMapping(node, at, conversion);
  if (isSeq(node)) return convertSequence(node, at, conversion);
  if (!isScalar(node)) return scalar(null, at);
  conversion.characters += at.end - at.start;
  return convertScalar(node, at);
}

function convertScalar(node: YamlScalar, at: Span): Tree {
  const value = scalarValue(node);
  const spelling = floatSpelling(node.source ?? '', value);
  return spelling === undefined ? scalar(value, at) : {kind: 'scalar', value, spelling, at};
}

function followAlias(name: string, at: Span, conversion: Conversion): Tree {
  const anchor = conversion.anchors.get(name);
  if (anchor === undefined) {
    conversion.problems.error(at, {
      code: 'unknown-anchor',
      message: `*${name}: no anchor &${name} is defined above it in this file`,
      hint:
        didYouMean(name, conversion.anchors.keys()) ??
        `define it above: NAME: &${name} VALUE; anchors of other files do not count`,
    });
    return scalar(null, at);
  }
  conversion.size += anchor.size;
  conversion.characters += anchor.characters;
  const hint = 'put a long text into a file, and name that below configs or secrets';
  const growth = {what: 'characters by aliases', amount: anchor.characters, most: mostCharacters, hint};
  if (conversion.size > mostNodes && !conversion.tooLarge) {
    conversion.tooLarge = true;
    conversion.problems.error(at, {
      code: 'too-large',
      message: `aliases unfold this file to more than ${mostNodes} values`,
      hint: 'refer to smaller parts, or to fewer',
    });
  }
  if (conversion.tooLarge || !conversion.problems.allows(at, growth)) return scalar(null, at);
  return {...anchor.tree, at: withStep(anchor.tree.at, {kind: 'anchor', name, at})};
}

/** The tag of a node: ours, or one of YAML's own that asks for a type. */
function withDirective(tree: Tree, tag: string | undefined, {problems}: Conversion): Tree {
  if (tag === undefined || tag === '' || tag === '!') return tree;
  if (tag === '!reset') return {...tree, directive: 'reset'};
  if (tag === '!override') return {...tree, directive: 'override'};
  if (/^tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq|merge)$/.test(tag)) return tree;
  const written = tag.replace('tag:yaml.org,2002:', '!!');
  problems.error(tagPlace(tree.at, written), {
    code: 'unknown-tag',
    message: `unknown YAML tag "${written}"`,
    hint:
      didYouMean(written, ['!reset', '!override']) ?? 'remove it: the tags of a stack file are !reset and !override',
  });
  return tree;
}

/** Where a tag stands before its value; the value itself where it is spelt in another way. */
function tagPlace(at: Span, written: string): Span {
  const start = at.source.text.lastIndexOf(written, at.start);
  const between = start === -1 ? undefined : at.source.text.slice(start + written.length, at.start);
  return between !== undefined && /^\s+(?:&\S+\s+)?$/.test(between)
    ? {source: at.source, start, end: start + written.length}
    : at;
}

function scalarValue(node: YamlScalar): Scalar {
  const text = typeof node.value === 'string' ? node.value : (node.source ?? '');
  const plain = node.type === 'PLAIN' || node.type === undefined;
  if (node.tag === 'tag:yaml.org,2002:str' || node.tag === '!') return text;
  if (plain) return resolvePlainScalar(text);
  return node.tag?.startsWith('tag:yaml.org,2002:') === true ? resolvePlainScalar(text) : text;
}

function convertSequence(node: YAMLSeq, at: Span, conversion: Conversion): Tree {
  const items: Tree[] = [];
  for (const item of node.items) items.push(isPair(item) ? scalar(null, at) : convert(item as Node, conversion));
  return {kind: 'sequence', items, at};
}

function convertMapping(node: YAMLMap, at: Span, conversion: Conversion): Tree {
  const entries = new Map<string, Entry>();
  const merged: Tree[] = [];
  for (const pair of node.items) {
    const key = pair.key as Node;
    const keyAt = spanOf(key, conversion.source);
    const value = pair.value === null ? scalar(null, keyAt) : convert(pair.value as Node, conversion);
    if (!isScalar(key)) {
      conversion.problems.error(keyAt, {code: 'wrong-key', message: 'a key must be text', hint: 'put it into quotes'});
      continue;
    }
    const name = typeof key.value === 'string' ? key.value : String(key.value);
    if (name === '<<' && key.type === 'PLAIN') {
      merged.push(...mergeSources(value, keyAt, conversion));
      continue;
    }
    const first = entries.get(name);
    if (first === undefined) {
      entries.set(name, {key: keyAt, value});
      continue;
    }
    conversion.problems.error(keyAt, {
      code: 'duplicate-key',
      message: `"${name}" is given twice`,
      hint: 'keep one of the two',
      related: {message: 'given first', at: first.key},
    });
  }
  return {kind: 'mapping', entries: merged.length === 0 ? entries : mergeKeys(entries, merged), at};
}

/** `<<: *a` or `<<: [*a, *b]`: the mappings, of which the first wins. */
function mergeSources(value: Tree, at: Span, conversion: Conversion): readonly Tree[] {
  const sources = value.kind === 'sequence' ? value.items : [value];
  for (const source of sources) {
    if (source.kind === 'mapping') continue;
    conversion.problems.error(source.at, {
      code: 'wrong-type',
      message: '"<<" merges mappings only',
      hint: 'give it the anchor of a mapping: <<: *NAME',
    });
  }
  const step = {kind: 'mergeKey', at} as const;
  return sources.flatMap((source) =>
    source.kind === 'mapping' ? [mapEntries(source, (member) => ({...member, at: withStep(member.at, step)}))] : [],
  );
}

/** A mapping's own keys win over merged ones. */
function mergeKeys(own: ReadonlyMap<string, Entry>, merged: readonly Tree[]): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (const source of [...merged].reverse()) {
    if (source.kind === 'mapping') for (const [key, entry] of source.entries) entries.set(key, entry);
  }
  for (const [key, entry] of own) entries.set(key, entry);
  return entries;
}
