/** A file of a context; null: it is removed. */
export type CaseFile =
  | string
  | null
  | {readonly text: string; readonly mode?: number; readonly time?: number}
  | {readonly base64: string}
  | {readonly link: string}
  | {readonly hard: string}
  | {readonly directory: number};

/** What is asked for beside the Dockerfile. */
interface CaseRequest {
  readonly target?: string;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly secret?: string;
  readonly noCache?: boolean;
  readonly noCacheFilter?: string;
}

export interface BuildCase extends CaseRequest {
  readonly name: string;
  readonly files: Readonly<Record<string, CaseFile>>;
  readonly dockerfile: string;
  /** Changes before each further build. */
  readonly edits?: readonly Readonly<Record<string, CaseFile>>[];
  /** What the further builds ask for otherwise. */
  readonly next?: CaseRequest;
}

export const cases: readonly BuildCase[];
