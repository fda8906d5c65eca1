import {readDiagnostics} from '../base/diagnostic.ts';
import {isErrorKind, TscomposeError} from '../base/errors.ts';

/** What a progress line may hold of an error, whatever else it holds. */
interface ErrorLine {
  readonly error?: unknown;
  readonly errorDetail?: unknown;
}

/**
 * Progress lines as they come. An error that travels in-band after status 200 is thrown, so that no caller takes a
 * failed load for a finished one.
 */
export async function* checkedProgress(lines: AsyncIterable<unknown>): AsyncGenerator<unknown> {
  for await (const line of lines) {
    const error = errorOfLine(line);
    if (error !== undefined) throw error;
    yield line;
  }
}

/** Reads a progress stream to its end, and answers all of its lines. Throws the error the stream carries. */
export async function followProgress<T>(
  lines: AsyncIterable<T>,
  onProgress?: (line: T) => void,
): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const line of lines) {
    onProgress?.(line);
    all.push(line);
  }
  return all;
}

function errorOfLine(line: unknown): TscomposeError | undefined {
  if (typeof line !== 'object' || line === null || !('error' in line || 'errorDetail' in line)) return undefined;
  const {error, errorDetail}: ErrorLine = line;
  const detail =
    typeof errorDetail === 'object' && errorDetail !== null ? new Map(Object.entries(errorDetail)) : new Map();
  const message = detail.get('message') ?? error;
  const kind = detail.get('kind');
  const exitCode = detail.get('code');
  return new TscomposeError(
    typeof kind === 'string' && isErrorKind(kind) ? kind : 'internal',
    typeof message === 'string' ? message : 'the engine reported an error without a message',
    {
      hint: detail.get('hint'),
      diagnostics: readDiagnostics(detail.get('diagnostics')),
      exitCode: typeof exitCode === 'number' && kind !== undefined ? exitCode : undefined,
    },
  );
}
