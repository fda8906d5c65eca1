export interface AttributeRow {
  readonly first: object;
  readonly second: object;
  readonly profiles?: readonly string[];
  readonly printed?: boolean;
  readonly remote?: boolean;
  readonly expanded: unknown;
  readonly merged: unknown;
  readonly lowered: unknown;
  readonly file: string;
  readonly ofService: boolean;
}
export const environment: Readonly<Record<string, string>>;
export function readRows(): ReadonlyMap<string, AttributeRow>;
export function filesOf(row: AttributeRow): Readonly<Record<string, string>>;
export function valueAt(config: unknown, path: string): unknown;
