import type {Stats} from 'node:fs';
import {join} from 'node:path';

/** Where this user keeps what can be made again; undefined where there is no such place. */
export function cacheDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const home = env['XDG_CACHE_HOME'] || (env['HOME'] && join(env['HOME'], '.cache'));
  return home?.startsWith('/') ? join(home, 'tscompose') : undefined;
}

/** What is kept is as powerful as the program that made it: only what nobody else can have written is taken. */
export function isOurs({uid, mode}: Stats): boolean {
  return uid === process.geteuid?.() && (mode & 0o022) === 0;
}
