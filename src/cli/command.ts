import type {CliContext} from './context.ts';
import {progressFlag} from './progress-flag.ts';

/** One flag of a command. Help, parsing, completion and docs read it. */
export interface Flag {
  /** One letter, without the dash. */
  readonly short?: string;
  readonly summary: string;
  /** Name of the value in help; absent: a switch. */
  readonly value?: string;
  readonly kind?: 'text' | 'integer' | 'seconds';
  readonly repeat?: boolean;
  /** A switch that is on unless `--name=false` is given. */
  readonly default?: true;
  readonly choices?: readonly string[];
}

export type Flags = Readonly<Record<string, Flag>>;

type FlagValue<F extends Flag> = F extends {readonly value: string}
  ? F extends {readonly kind: 'integer' | 'seconds'}
    ? number
    : string
  : boolean;

/** Values by flag name; switches not given are what their row says, else false, values not given are absent, repeated ones a list. */
export type FlagValues<T extends Flags> = {
  readonly [K in keyof T as T[K] extends {readonly value: string; readonly repeat?: false}
    ? K
    : T[K] extends {readonly value: string; readonly repeat: true}
      ? never
      : T[K] extends {readonly value: string}
        ? K
        : never]?: FlagValue<T[K]>;
} & {
  readonly [K in keyof T as T[K] extends {readonly value: string; readonly repeat: true}
    ? K
    : never]: readonly FlagValue<T[K]>[];
} & {
  readonly [K in keyof T as T[K] extends {readonly value: string} ? never : K]: boolean;
};

export interface CommandInput<T extends Flags> {
  readonly args: readonly string[];
  readonly flags: FlagValues<T>;
}

export interface CommandRow {
  readonly name: string;
  /** Other last words for it, as Docker has them: help does not list them. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** As help shows it: `[SERVICE...]`, `SERVICE COMMAND [ARGS...]`. */
  readonly args: string;
  /** Everything after the first argument belongs to the container's command. */
  readonly passThrough?: boolean;
  readonly flags: Flags;
  readonly examples?: readonly string[];
  /** Resolves to the exit code. */
  run(context: CliContext, input: CommandInput<Flags>): Promise<number>;
}

/** A command with the types of its flags checked against what its code reads. */
export function defineCommand<const T extends Flags>(
  row: Omit<CommandRow, 'flags' | 'run'> & {
    readonly flags: T;
    run(context: CliContext, input: CommandInput<T>): Promise<number>;
  },
): CommandRow {
  return row as unknown as CommandRow;
}

/** Flags that stand before the command, as in Compose. */
export const globalFlags = {
  file: {
    short: 'f',
    value: 'FILE',
    repeat: true,
    summary: 'stack file; may be repeated, later ones override; "-" reads standard input',
  },
  'project-name': {short: 'p', value: 'PROJECT', summary: 'name of the project'},
  'project-directory': {value: 'DIRECTORY', summary: 'directory that relative paths start from'},
  env: {value: 'ENVIRONMENT', summary: 'adds compose.ENVIRONMENT.yaml and .env.ENVIRONMENT on top (TSCOMPOSE_ENV)'},
  'env-file': {value: 'FILE', repeat: true, summary: 'file of variables for the stack file, instead of .env'},
  profile: {value: 'PROFILE', repeat: true, summary: 'profile to switch on; "*" for all'},
  'all-resources': {summary: 'keep networks, volumes, configs and secrets that no service uses'},
  'max-file-size': {
    value: 'BYTES',
    kind: 'integer',
    summary: 'bytes that a stack or environment file may have (4194304)',
  },
  progress: progressFlag,
  ansi: {value: 'WHEN', choices: ['auto', 'always', 'never'], summary: 'when to use colours'},
  parallel: {value: 'N', kind: 'integer', summary: 'most actions at once; -1 for no limit'},
  root: {value: 'DIRECTORY', summary: 'where the built-in engine keeps its state'},
  host: {
    short: 'H',
    value: 'ADDRESS',
    summary: 'a Docker Engine to use instead of the built-in one (unix://… or tcp://…)',
  },
} as const satisfies Flags;

export type GlobalFlags = FlagValues<typeof globalFlags>;
