import type {Place} from '../../dockerfile/source.ts';

/** A step of the graph, by its place in the list of all. */
export type StepId = number;

interface Common {
  readonly id: StepId;
  /** As it is shown: `[build 2/5] RUN make`. */
  readonly title: string;
  /** Of its stage, as it may be named. */
  readonly stage: string;
  readonly place: Place;
  /** The instruction as it is written, for explanations. */
  readonly written: string;
  /** Nothing of it comes from the cache, and nothing that is made upon it. */
  readonly fresh: boolean;
}

/** An image that is built upon, or copied from. */
export interface ImageStep extends Common {
  readonly kind: 'image';
  /** Its id. */
  readonly image: string;
}

/** What a mount of a `RUN` shows. */
export type StepMount =
  | {
      readonly type: 'bind';
      readonly from: Origin;
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
    }
  | {
      readonly type: 'cache';
      readonly id: string;
      readonly sharing: 'shared' | 'private' | 'locked';
      readonly from: Origin | undefined;
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    }
  | {readonly type: 'tmpfs'; readonly target: string; readonly size: number | undefined}
  | ({readonly type: 'secret'} & KeyMount)
  | ({readonly type: 'ssh'} & KeyMount);

/** What is shown to a step without becoming part of it. */
interface KeyMount {
  readonly id: string;
  /** Undefined: a variable alone. */
  readonly target: string | undefined;
  readonly env: string | undefined;
  readonly required: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface RunStep extends Common {
  readonly kind: 'run';
  /** Of its programs, where this machine does not run these by itself. */
  readonly foreign: string | undefined;
  /** Undefined: upon nothing. */
  readonly parent: StepId | undefined;
  readonly words: readonly string[];
  /** Scripts of here-documents that start with `#!`, by their place in the step. */
  readonly scripts: readonly {readonly target: string; readonly content: string}[];
  readonly env: readonly string[];
  /** Variables that do not count for the cache: those of proxies. */
  readonly passing: readonly string[];
  readonly cwd: string;
  readonly user: string;
  /** Undefined: the one that every build has. */
  readonly hostname?: string | undefined;
  readonly network: 'default' | 'none' | 'host';
  readonly insecure: boolean;
  readonly mounts: readonly StepMount[];
}

/** A tree that files are taken from. */
export type Origin =
  | {readonly kind: 'context'; readonly name: string | undefined}
  | {readonly kind: 'step'; readonly step: StepId | undefined}
  | {readonly kind: 'inline'; readonly files: readonly {readonly name: string; readonly content: string}[]}
  | {
      /** A repository, or a file of a server. */
      readonly kind: 'remote';
      readonly url: string;
      readonly checksum: string | undefined;
      readonly keepGitDir: boolean;
    };

export interface CopyStep extends Common {
  readonly kind: 'copy';
  readonly parent: StepId | undefined;
  readonly copies: readonly {
    readonly from: Origin;
    readonly sources: readonly string[];
    /** Archives are unpacked. */
    readonly unpack: boolean;
  }[];
  readonly target: string;
  /** `user[:group]`, looked up in the tree that is copied to; empty: root. */
  readonly owner: string;
  /** Octal or symbolic; empty: as it is. */
  readonly chmod: string;
  /** Into a layer of its own that does not look at what is below. */
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  /** What a shell in the files below is given where the step fails. Absent: there are none. */
  readonly shell?: Pick<RunStep, 'env' | 'cwd'>;
}

/** A directory with those above it: WORKDIR. */
export interface DirectoryStep extends Common {
  readonly kind: 'directory';
  readonly parent: StepId | undefined;
  readonly path: string;
  readonly owner: string;
}

export type Step = ImageStep | RunStep | CopyStep | DirectoryStep;

/** The steps whose results a step needs. */
export function inputsOf(step: Step): readonly StepId[] {
  const of = (origin: Origin | undefined): readonly StepId[] =>
    origin?.kind === 'step' && origin.step !== undefined ? [origin.step] : [];
  if (step.kind === 'image') return [];
  const parent = step.parent === undefined ? [] : [step.parent];
  if (step.kind === 'copy') return [...parent, ...step.copies.flatMap(({from}) => of(from))];
  if (step.kind === 'run')
    return [...parent, ...step.mounts.flatMap((mount) => ('from' in mount ? of(mount.from) : []))];
  return parent;
}
