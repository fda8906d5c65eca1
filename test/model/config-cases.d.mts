/** Stack files, how Compose is called with them, and where. */
export interface ConfigCase {
  readonly name: string;
  /** Flags before `config`. */
  readonly arguments: readonly string[];
  /** Services named behind `config`. */
  readonly services: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where Compose is called, below the case's own directory. */
  readonly directory: string;
  /** The file that is standard input. */
  readonly input: string | undefined;
  /** Texts by path below the case's own directory. */
  readonly files: Readonly<Record<string, string>>;
}
export function readConfigCases(): readonly ConfigCase[];
