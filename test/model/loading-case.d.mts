export interface LoadingCase {
  readonly arguments: readonly string[];
  readonly config: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly input: string | undefined;
  readonly files: Readonly<Record<string, string>>;
}
export function readCase(text: string): LoadingCase;
