/** A file of a context; null: it is removed. */
export type CaseFile =
  | string
  | null
  | {readonly text: string; readonly mode?: number}
  | {readonly link: string}
  | {readonly directory: number};

export interface BuildCase {
  readonly name: string;
  readonly files: Readonly<Record<string, CaseFile>>;
  readonly dockerfile: string;
  readonly target?: string;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly secret?: string;
  /** Changes before each further build. */
  readonly edits?: readonly Readonly<Record<string, CaseFile>>[];
  /** Of the further builds. */
  readonly nextArguments?: Readonly<Record<string, string>>;
  readonly nextNoCache?: boolean;
  readonly nextNoCacheFilter?: string;
}

export const cases: readonly BuildCase[];
