export interface EngineEvent {
  readonly Type: 'container' | 'network' | 'volume' | 'image' | 'daemon';
  readonly Action: string;
  readonly Actor: {readonly ID: string; readonly Attributes: Readonly<Record<string, string>>};
  readonly scope: 'local';
  /** Unix seconds. */
  readonly time: number;
  readonly timeNano: number;
}

export interface VersionInfo {
  readonly Platform: {readonly Name: string};
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion: string;
}

/** `{"label": ["a=b"]}`: what the `filters` query parameter holds. */
export type Filters = Readonly<Record<string, readonly string[]>>;
