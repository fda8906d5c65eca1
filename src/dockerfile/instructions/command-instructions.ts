import {parseDuration} from '../../base/duration.ts';
import {type Arguments, jsonList, readCommand, textFlag} from '../arguments.ts';
import type {Command, Flag} from '../instruction.ts';
import {readMount} from '../mounts.ts';
import {noFlags, type Row} from './row.ts';

/** `RUN`: a list, a text for the shell, or here-documents. */
export const run: Row<'RUN'> = {
  flags: {mount: 'list', network: 'text', security: 'text'},
  read(given) {
    const {text, at, line, fail} = given;
    if (text === '') given.warn(at, at, 'empty-command', 'RUN has no command', 'remove it, or write RUN command');
    if (isMixedList(text)) {
      return fail(
        at,
        at + text.length,
        'syntax',
        'RUN: a list may have texts only',
        'put each word between double quotes',
      );
    }
    const network = oneOf(given, 'network', ['default', 'none', 'host']);
    const security = oneOf(given, 'security', ['sandbox', 'insecure']);
    const mounts = (given.flags.get('mount') ?? []).map((flag) => mountOf(given, flag));
    if (network === undefined || security === undefined) return undefined;
    if (mounts.some((mount) => mount === undefined)) return undefined;
    const readable = mounts.flatMap((mount) => mount ?? []);
    return {command: readCommand(given), heredocs: line.heredocs, mounts: readable, network, security};
  },
};

/** A list in JSON with other things than texts in it. */
function isMixedList(text: string): boolean {
  if (!text.startsWith('[')) return false;
  try {
    return Array.isArray(JSON.parse(text)) && jsonList(text) === undefined;
  } catch {
    return false;
  }
}

function mountOf({fail}: Arguments, flag: Flag): ReturnType<typeof readMount>['mount'] {
  const {mount, problems} = readMount(flag);
  for (const {message, hint} of problems)
    fail(flag.valueAt, flag.end, 'invalid-mount', `RUN --mount: ${message}`, hint);
  return mount;
}

/** The first word is what holds where the flag is not given. */
function oneOf<T extends string>(given: Arguments, name: string, words: readonly [T, ...T[]]): T | undefined {
  const flag = textFlag(given, name);
  if (flag === undefined) return words[0];
  const found = words.find((word) => word === flag.value);
  if (found !== undefined) return found;
  const message = `${given.keyword}: --${name} cannot be "${flag.value}"`;
  return given.fail(flag.valueAt, flag.end, 'invalid-flag', message, `write one of ${words.join(', ')}`);
}

function commandRow<K extends 'CMD' | 'ENTRYPOINT'>(keyword: K): Row<K> {
  return {
    flags: noFlags,
    read(given) {
      // Without anything it takes away what the image below says.
      if (given.text === '') return {command: {form: 'list', words: []}};
      const command = readCommand(given);
      if (command.form === 'shell' && given.text.startsWith('[')) warnOfList(given, keyword);
      return {command};
    },
  };
}

/** What begins like a list and is none runs as a text of the shell, which nobody means. */
function warnOfList({text, at, warn}: Arguments, keyword: string): void {
  const message = `${keyword}: this looks like a list in JSON but is none, so it is a text for the shell`;
  warn(at, at + text.length, 'broken-list', message, 'put each word between double quotes, with commas between them');
}

export const cmd: Row<'CMD'> = commandRow('CMD');
export const entrypoint: Row<'ENTRYPOINT'> = commandRow('ENTRYPOINT');

/** The shortest time that a probe may have (1 ms), in nanoseconds. */
const shortest = 1_000_000;

/** `HEALTHCHECK NONE`, or `HEALTHCHECK [--interval=…] CMD …`. */
export const healthcheck: Row<'HEALTHCHECK'> = {
  flags: {interval: 'text', timeout: 'text', 'start-period': 'text', 'start-interval': 'text', retries: 'text'},
  read(given) {
    const {text, at, fail} = given;
    const [word = ''] = /^\S*/.exec(text) ?? [];
    const type = word.toUpperCase();
    const end = at + text.length;
    if (type === 'NONE') {
      if (text === word) return {};
      return fail(at + word.length, end, 'syntax', 'HEALTHCHECK NONE has no arguments', 'remove what follows NONE');
    }
    if (type !== 'CMD') {
      const hint = 'write HEALTHCHECK CMD command, or HEALTHCHECK NONE';
      const message = word === '' ? 'HEALTHCHECK says nothing' : `HEALTHCHECK: unknown kind "${word}"`;
      return fail(at, at + Math.max(1, word.length), 'syntax', message, hint);
    }
    const command = healthCommand(given, word.length);
    const right = ['interval', 'timeout', 'start-period', 'start-interval'].every((name) => isDuration(given, name));
    if (command === undefined || !right || !isCount(given)) return undefined;
    return {command, ...timings(given)};
  },
};

function timings(given: Arguments): Record<string, Flag> {
  const members = {
    interval: 'interval',
    timeout: 'timeout',
    startPeriod: 'start-period',
    startInterval: 'start-interval',
    retries: 'retries',
  };
  return Object.fromEntries(
    Object.entries(members).flatMap(([member, name]) => {
      const flag = textFlag(given, name);
      return flag === undefined ? [] : [[member, flag]];
    }),
  );
}

function healthCommand({text, at, fail}: Arguments, skip: number): Command | undefined {
  const rest = text.slice(skip);
  const command = {text: rest.trim(), at: at + skip + rest.length - rest.trimStart().length};
  if (command.text !== '' && jsonList(command.text)?.length !== 0) return readCommand(command);
  return fail(at, at + skip, 'missing-argument', 'HEALTHCHECK CMD has no command', 'write HEALTHCHECK CMD command');
}

function isDuration(given: Arguments, name: string): boolean {
  const flag = textFlag(given, name);
  if (flag === undefined || flag.value === '') return true;
  const parsed = parseDuration(flag.value);
  if (parsed.ok && (parsed.nanoseconds === 0 || parsed.nanoseconds >= shortest)) return true;
  const reason = parsed.ok ? 'is less than 1ms' : 'is not a duration';
  given.fail(flag.valueAt, flag.end, 'invalid-flag', `HEALTHCHECK --${name}: "${flag.value}" ${reason}`, 'write 30s');
  return false;
}

function isCount(given: Arguments): boolean {
  const flag = textFlag(given, 'retries');
  if (flag === undefined || flag.value === '' || /^\d{1,9}$/.test(flag.value)) return true;
  const message = `HEALTHCHECK --retries: "${flag.value}" is not a number of times`;
  given.fail(flag.valueAt, flag.end, 'invalid-flag', message, 'write 3');
  return false;
}
