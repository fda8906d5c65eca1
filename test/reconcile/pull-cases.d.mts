export interface PullCase {
  readonly name: string;
  readonly kind: 'image' | 'both' | 'build';
  readonly policy: string;
  readonly command: string;
  /** On the machine. */
  readonly isHere: boolean;
  /** On the registry. */
  readonly isThere: boolean;
}

export const pullCommands: Readonly<Record<string, readonly string[]>>;

export function pullCases(): readonly PullCase[];
