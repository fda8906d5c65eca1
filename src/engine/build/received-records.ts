import {join} from 'node:path';
import {readdir} from '../at-once.ts';
import {readBootId} from '../clock.ts';
import type {Layout} from '../layout.ts';
import {readText, writeFileAtomically} from '../record-store.ts';
import type {BuildContext} from './context.ts';
import {readUses} from './uses.ts';

type Where = Pick<BuildContext, 'images'>;

/** `build/received/<name>/state`: what is in `data`, as the client told of it. */
export interface ReceivedRecord {
  /** What was not synced may be lost with the power: it counts in this boot alone. */
  readonly boot: string;
  readonly bytes: number;
  /** RFC 3339. */
  readonly created: string;
  readonly state: string;
}

/** The files of a context that a client sent. */
export interface KeptReceived extends Omit<ReceivedRecord, 'state'> {
  readonly name: string;
  readonly usedMs: number;
  readonly uses: number;
}

export interface ReceivedPaths {
  readonly name: string;
  readonly data: string;
  readonly record: string;
  readonly uses: string;
  /** Held shared by those who use the files, and alone by whoever changes them. */
  readonly lock: string;
  /** Held by whoever looks whether to change them. */
  readonly making: string;
}

export function receivedPaths({build}: Pick<Layout, 'build'>, name: string): ReceivedPaths {
  const directory = join(build.received, name);
  return {
    name,
    data: join(directory, 'data'),
    record: join(directory, 'state'),
    uses: join(directory, 'uses'),
    lock: `${directory}.lock`,
    making: `${directory}.making.lock`,
  };
}

/** Undefined also for what another boot left, and for what is damaged: then it is received anew. */
export async function readReceived(paths: ReceivedPaths): Promise<ReceivedRecord | undefined> {
  const text = (await readText(paths.record).catch(() => undefined)) ?? '';
  const [boot = '', bytes = '', created = ''] = text.split('\n', 3);
  if (boot !== readBootId() || !/^\d+$/.test(bytes)) return undefined;
  const state = text.slice(boot.length + bytes.length + created.length + 3);
  return {boot, bytes: Number(bytes), created, state};
}

/** A head of three lines, and what the client told: a text of its own, of many megabytes where there are many files. */
export async function writeReceived(paths: ReceivedPaths, record: ReceivedRecord): Promise<void> {
  const {boot, bytes, created, state} = record;
  await writeFileAtomically(paths.record, `${boot}\n${bytes}\n${created}\n${state}`);
}

/** Also of those that a killed build left half made, and of those that were not kept: these have no record. */
export async function receivedNames({images}: Where): Promise<readonly string[]> {
  const names = await readdir(images.layout.build.received).catch(() => []);
  return [...new Set(names.flatMap((name) => /^[0-9a-f]{32}(?=\.|$)/.exec(name) ?? []))].sort();
}

/** All that are whole. */
export async function listReceived(context: Where): Promise<readonly KeptReceived[]> {
  const found = await Promise.all((await receivedNames(context)).map((name) => readKept(context, name)));
  return found.flatMap((kept) => kept ?? []);
}

async function readKept({images}: Where, name: string): Promise<KeptReceived | undefined> {
  const paths = receivedPaths(images.layout, name);
  const [record, uses] = await Promise.all([readReceived(paths), readUses(paths.uses)]);
  if (record === undefined) return undefined;
  const {state: _, ...told} = record;
  return {name, ...told, usedMs: uses.lastMs ?? Date.parse(record.created), uses: uses.count};
}
