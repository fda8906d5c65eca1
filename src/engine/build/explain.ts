import type {ExplainedStep} from '../../api/types/build.ts';
import type {ListedParts} from './cache.ts';

const filesShown = 5;

/** Compares what a step is made of with what it was made of last. */
export function explainMiss(before: ListedParts | undefined, now: ListedParts, fresh: boolean): ExplainedStep {
  if (fresh) return {verdict: 'built', reasons: ['the cache was not to be used']};
  if (before === undefined) return {verdict: 'built', reasons: ['it was never built before']};
  const reasons = [
    ...(before.parent === now.parent ? [] : ['a step that it is built upon changed']),
    ...definitionReasons(before.definition, now.definition),
    ...(before.files === now.files ? [] : versionReasons(before.versions ?? {}, now.versions ?? {})),
    ...(before.files === now.files ? [] : fileReasons(before.listed ?? {}, now.listed ?? {})),
  ];
  return {verdict: 'built', reasons: reasons.length > 0 ? reasons : ['its result was removed from the cache']};
}

function definitionReasons(
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): readonly string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
  return [...keys].flatMap((key) => {
    const [old, value] = [before[key], now[key]];
    if (JSON.stringify(old) === JSON.stringify(value)) return [];
    if (key === 'env') return variableReasons(asList(old), asList(value));
    return [`${key} changed from ${show(old)} to ${show(value)}`];
  });
}

function asList(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function variableReasons(before: readonly string[], now: readonly string[]): readonly string[] {
  const read = (list: readonly string[]) =>
    new Map(list.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)]));
  const [old, current] = [read(before), read(now)];
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((name) => {
    const [was, is] = [old.get(name), current.get(name)];
    if (was === is) return [];
    if (was === undefined) return [`variable ${name} is new: ${show(is)}`];
    return [
      is === undefined ? `variable ${name} is gone` : `variable ${name} changed from ${show(was)} to ${show(is)}`,
    ];
  });
}

function versionReasons(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  return Object.entries(now).flatMap(([place, version]) => {
    const old = before[place];
    return old === undefined || old === version ? [] : [`${place} was ${old}, and is ${version}`];
  });
}

function fileReasons(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  const changed = paths.flatMap((path) => {
    const [old, value] = [before[path], now[path]];
    if (old === value) return [];
    const name = path === '' ? 'what is copied' : `file "${path}"`;
    if (old === undefined) return [`${name} is new`];
    return [value === undefined ? `${name} is gone` : `${name} changed`];
  });
  if (changed.length === 0) return ['what it copies changed'];
  const more = changed.length - filesShown;
  return more > 0 ? [...changed.slice(0, filesShown), `and ${more} more files`] : changed;
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
