import {readdirSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {canonicalJson, sha256Hex} from '../../base/canonical-json.ts';
import type {FileSource} from '../../base/file-source.ts';
import {isStillTrue, type Observation} from '../../base/recorded-source.ts';
import {keepFile, makeKept, readKept} from '../kept-files.ts';
import type {LoadedOutline} from './stack-outline.ts';

/** An outline with everything that it was made from. */
export interface KeptOutline extends LoadedOutline {
  /** Names of the variables that were looked up; null: all. */
  readonly lookedUp: readonly string[] | null;
  /** A hash of their values. */
  readonly variables: string;
  /** What was asked of the files. */
  readonly observations: readonly Observation[];
}

type Variables = Readonly<Record<string, string | undefined>>;

export interface OutlineCache {
  /** Undefined where there is none, or where anything that it was made from has changed. */
  read(key: string, env: Variables, source: FileSource): Promise<LoadedOutline | undefined>;
  keep(key: string, outline: KeptOutline): void;
}

const mostEntries = 64;
const longestEntry = 256 * 1024;

/** A directory of outlines, a file each. What cannot be read or kept is not: the stack is read again. */
export function createOutlineCache(directory: string): OutlineCache {
  return {
    async read(key, env, source) {
      const kept = readEntry(directory, key);
      if (kept === undefined || kept.variables !== hashVariables(kept.lookedUp, env)) return undefined;
      for (const observation of kept.observations) if (!(await isStillTrue(observation, source))) return undefined;
      return kept;
    },
    keep(key, outline) {
      const json = JSON.stringify(outline);
      if (json.length > longestEntry) return;
      try {
        makeKept(directory);
        if (keepFile(directory, key, `${sha256Hex(json)}\n${json}`)) removeOldest(directory);
      } catch {
        // No room, no permission, or another run is at it.
      }
    },
  };
}

/** Values may be secret: they are not kept. */
export function hashVariables(names: readonly string[] | null, env: Variables): string {
  const wanted = names ?? Object.keys(env);
  return sha256Hex(canonicalJson(Object.fromEntries(wanted.map((name) => [name, env[name] ?? null]))));
}

function readEntry(directory: string, key: string): KeptOutline | undefined {
  const text = readKept(directory, key)?.toString('utf8') ?? '';
  const end = text.indexOf('\n');
  const json = text.slice(end + 1);
  // A machine that lost power may have kept a part only.
  return end !== -1 && sha256Hex(json) === text.slice(0, end) ? (JSON.parse(json) as KeptOutline) : undefined;
}

function removeOldest(directory: string): void {
  const names = readdirSync(directory);
  if (names.length <= mostEntries) return;
  const ages = names.map((name) => ({path: join(directory, name), time: modifiedAt(join(directory, name))}));
  const oldest = ages.sort((a, b) => a.time - b.time).slice(0, names.length - mostEntries);
  for (const {path} of oldest) rmSync(path, {force: true});
}

function modifiedAt(path: string): number {
  return statSync(path, {throwIfNoEntry: false})?.mtimeMs ?? 0;
}
