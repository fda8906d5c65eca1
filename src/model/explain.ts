import type {Json} from '../base/canonical-json.ts';
import {spanAt, type Walk} from './provenance.ts';
import {positionOf, type Span, type TrailStep} from './source.ts';
import type {Tree} from './tree.ts';
import type {SourcePosition} from './types.ts';

/** A value of a resolved project, and how it came to be. */
export interface Explanation {
  /** `services.web.ports[0].target` */
  readonly path: string;
  readonly value: Json;
  /** Absent where no file says it: it is a default. */
  readonly place?: ShownPosition;
  readonly steps: readonly ExplainedStep[];
}

/** A position with the file as messages show it. */
export interface ShownPosition extends SourcePosition {
  readonly shown: string;
}

export type ExplainedStep =
  | {readonly kind: 'variable'; readonly name: string; readonly took: string; readonly place?: ShownPosition}
  | {readonly kind: 'anchor'; readonly name: string; readonly place: ShownPosition}
  | {readonly kind: 'mergeKey'; readonly place: ShownPosition}
  | {readonly kind: 'extends'; readonly service: string; readonly place: ShownPosition}
  | {readonly kind: 'include'; readonly place: ShownPosition}
  | {readonly kind: 'replaces'; readonly place: ShownPosition; readonly written: string};

/** Every value at or below a path of a resolved project, as `config` prints it, with its way from the files. */
export function explain(path: string, value: Json, tree: Tree): readonly Explanation[] {
  if (typeof value === 'object' && value !== null) {
    const members: readonly (readonly [string, Json])[] = Array.isArray(value)
      ? value.map((item: Json, index) => [`${path}[${index}]`, item] as const)
      : Object.entries(value).map(([key, member]) => [path === '' ? key : `${path}.${key}`, member as Json] as const);
    if (members.length > 0) return members.flatMap(([below, member]) => explain(below, member, tree));
  }
  const walk = spanAt(tree, path);
  if (walk === undefined || !walk.stated)
    return [{path, value, steps: walk === undefined ? [] : explained(groups(walk))}];
  return [
    {path, value, place: shown(walk.span), steps: explained(groups(walk).concat(walk.span.trail ?? []), walk.span)},
  ];
}

/** What happened to the mappings and lists on the way, which holds for everything in them. */
function groups({above}: Walk): readonly TrailStep[] {
  return above.flatMap((span) => (span.trail ?? []).filter(({kind}) => kind !== 'variable' && kind !== 'replaces'));
}

function explained(steps: readonly TrailStep[], leaf?: Span): readonly ExplainedStep[] {
  const found = steps.map(step);
  for (let at = leaf?.source.includedAt; at !== undefined; at = at.source.includedAt)
    found.push({kind: 'include', place: shown(at)});
  const seen = new Set<string>();
  return found.filter((entry) => {
    const key = JSON.stringify(entry);
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

function step(taken: TrailStep): ExplainedStep {
  switch (taken.kind) {
    case 'variable': {
      const {name, took, from} = taken.use;
      return {kind: 'variable', name, took, ...(from === undefined ? {} : {place: shown(from)})};
    }
    case 'anchor':
      return {kind: 'anchor', name: taken.name, place: shown(taken.at)};
    case 'extends':
      return {kind: 'extends', service: taken.service, place: shown(taken.at)};
    case 'mergeKey':
      return {kind: 'mergeKey', place: shown(taken.at)};
    case 'replaces': {
      const {source, start, end} = taken.at;
      const [line = ''] = source.text.slice(start, end).split('\n', 1);
      return {kind: 'replaces', place: shown(taken.at), written: line.trim()};
    }
  }
}

function shown(at: Span): ShownPosition {
  return {...positionOf(at), shown: at.source.shown};
}

/** The member of a printed project at a path; undefined where there is none. A key may have points itself. */
export function valueAt(value: Json, path: string): Json | undefined {
  if (path === '') return value;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    const index = /^\[(\d+)\](?:\.(?=.))?/.exec(path);
    const item = index === null ? undefined : (value[Number(index[1])] as Json | undefined);
    return item === undefined || index === null ? undefined : valueAt(item, path.slice(index[0].length));
  }
  const members = value as {readonly [key: string]: Json};
  for (let end = path.length; end > 0; end = Math.max(path.lastIndexOf('.', end - 1), path.lastIndexOf('[', end - 1))) {
    const key = path.slice(0, end);
    const member = Object.hasOwn(members, key) ? members[key] : undefined;
    if (member === undefined) continue;
    // A dot promises a member.
    if (path[end] === '.' && end + 1 === path.length) return undefined;
    return valueAt(member, path.slice(path[end] === '.' ? end + 1 : end));
  }
  return undefined;
}
