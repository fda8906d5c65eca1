import type {Heredoc, LogicalLine} from './logical-line.ts';
import type {Mount} from './mounts.ts';
import type {Word} from './words.ts';

/** What a process is: words, or a text for the shell. */
export type Command =
  | {readonly form: 'list'; readonly words: readonly string[]}
  | {readonly form: 'shell'; readonly text: string; readonly at: number};

/** `key=value` as written; the value still has its quotes and variables. */
export interface Pair {
  readonly key: Word;
  readonly value: Word;
}

/** A flag `--name=value`. */
export interface Flag {
  readonly name: string;
  /** Quotes and escapes are gone, variables are not. */
  readonly value: string;
  /** There is a `=`, perhaps with nothing after it. */
  readonly hasValue: boolean;
  readonly at: number;
  readonly end: number;
  readonly valueAt: number;
}

interface FileSources {
  readonly sources: readonly Word[];
  /** Files whose content stands in the Dockerfile itself. */
  readonly inline: readonly Heredoc[];
  readonly target: Word;
  readonly chown?: Flag;
  readonly chmod?: Flag;
  readonly link: boolean;
  readonly exclude: readonly Flag[];
}

/** What each instruction says. */
export interface Instructions {
  FROM: {readonly image: Word; readonly stage?: Word; readonly platform?: Flag};
  ARG: {readonly arguments: readonly {readonly name: Word; readonly value?: Word}[]};
  RUN: {
    readonly command: Command;
    readonly heredocs: readonly Heredoc[];
    readonly mounts: readonly Mount[];
    readonly network: 'default' | 'none' | 'host';
    readonly security: 'sandbox' | 'insecure';
  };
  COPY: FileSources & {readonly from?: Flag; readonly parents: boolean};
  ADD: FileSources & {readonly keepGitDir: boolean; readonly checksum?: Flag; readonly unpack?: boolean};
  CMD: {readonly command: Command};
  ENTRYPOINT: {readonly command: Command};
  SHELL: {readonly words: readonly string[]};
  HEALTHCHECK: {
    /** Undefined: none, not even that of the image below. */
    readonly command?: Command;
    /** Flags without a value mean what holds by itself. */
    readonly interval?: Flag;
    readonly timeout?: Flag;
    readonly startPeriod?: Flag;
    readonly startInterval?: Flag;
    readonly retries?: Flag;
  };
  ENV: {readonly pairs: readonly Pair[]};
  LABEL: {readonly pairs: readonly Pair[]};
  EXPOSE: {readonly ports: readonly Word[]};
  VOLUME: {readonly paths: readonly Word[]};
  USER: {readonly value: Word};
  WORKDIR: {readonly value: Word};
  STOPSIGNAL: {readonly value: Word};
  MAINTAINER: {readonly value: Word};
  ONBUILD: {readonly instruction: Instruction; readonly text: string};
}

export type Keyword = keyof Instructions;

/** One instruction of a Dockerfile. */
export type Instruction<K extends Keyword = Keyword> = {
  [P in K]: Instructions[P] & {
    readonly keyword: P;
    /** As it is written: `from`, `Copy`. */
    readonly written: Word;
    readonly line: LogicalLine;
  };
}[K];
