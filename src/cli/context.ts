import {TscomposeError} from '../base/errors.ts';
import type {GlobalFlags} from './command.ts';

/** Everything that a command takes from its surroundings: the only place where they are read. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws `notFound` where the directory was removed. */
  readonly cwd: string;
  readonly version: string;
  /** Name of the program's file, which holds a digest of its content. */
  readonly program: string;
  readonly global: GlobalFlags;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Absolute path that the program was started by. */
  readonly programPath: string;
  /** Path of the running Node. */
  readonly nodePath: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Colour on the given stream, by `--ansi`, NO_COLOR, FORCE_COLOR, TERM and whether it is a terminal. */
  color(stream: NodeJS.WriteStream): boolean;
  /** Calls back at each SIGINT or SIGTERM, until disposed. */
  onInterrupt(listener: (signal: NodeJS.Signals) => void): Disposable;
  /** Calls back at each of these signals, which then do nothing by themselves, until disposed. */
  onSignals(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): Disposable;
}

declare const TSCOMPOSE_VERSION: string;

export function createContext(global: GlobalFlags, program: string): CliContext {
  const env = process.env;
  const ansi = global.ansi ?? env['TSCOMPOSE_ANSI'] ?? env['COMPOSE_ANSI'] ?? 'auto';
  return {
    env,
    get cwd() {
      return currentDirectory();
    },
    version: TSCOMPOSE_VERSION,
    program,
    global,
    // Made at its first use: a command that reads none needs no stream for it.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    programPath: process.argv[1] ?? '',
    nodePath: process.execPath,
    now: () => Date.now(),
    color: (stream) => wantsColor(ansi, env, stream),
    onInterrupt: (listener) => onSignals(['SIGINT', 'SIGTERM'], listener),
    onSignals,
  };
}

function onSignals(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): Disposable {
  for (const signal of signals) process.on(signal, listener);
  return {
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}

function currentDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new TscomposeError('notFound', 'the current directory does not exist any more', {
      hint: 'change to another one: cd',
      cause: error,
    });
  }
}

/** The order that tools agree on: the flag, NO_COLOR, FORCE_COLOR, TERM=dumb, then whether it is a terminal. */
function wantsColor(
  ansi: string,
  env: Readonly<Record<string, string | undefined>>,
  stream: NodeJS.WriteStream,
): boolean {
  if (ansi === 'always') return true;
  if (ansi === 'never') return false;
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['FORCE_COLOR'] ?? '') !== '' && env['FORCE_COLOR'] !== '0') return true;
  return env['TERM'] !== 'dumb' && stream.isTTY === true;
}
