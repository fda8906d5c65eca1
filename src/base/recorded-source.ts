import {sha256Hex} from './canonical-json.ts';
import {TscomposeError} from './errors.ts';
import type {FileSource} from './file-source.ts';

/** A question that was asked of a file source, with a digest of the answer. */
export interface Observation {
  readonly path: string;
  /** How many bytes were asked for at most; null: all. Undefined: whether it is a file. */
  readonly most?: number | null;
  /** The hash of the bytes, the kind of the error, or `true` and `false`. */
  readonly answer: string;
}

export interface RecordedSource {
  readonly source: FileSource;
  /** Everything that was asked; undefined where it cannot be asked again, or has changed in the meantime. */
  observations(): readonly Observation[] | undefined;
}

/** A source that remembers what was asked of it: what was made of its answers holds as long as they stay the same. */
export function recordSource(source: FileSource): RecordedSource {
  const seen = new Map<string, Observation>();
  let isRepeatable = true;
  const note = (observation: Observation): void => {
    const key = `${observation.path}\0${observation.most}`;
    const before = seen.get(key);
    if (before !== undefined && before.answer !== observation.answer) isRepeatable = false;
    seen.set(key, observation);
  };
  return {
    source: {
      async readBytes(path, most) {
        try {
          const bytes = await source.readBytes(path, most);
          note({path, most: most ?? null, answer: sha256Hex(bytes)});
          return bytes;
        } catch (error) {
          note({path, most: most ?? null, answer: kindOf(error)});
          throw error;
        }
      },
      async isFile(path) {
        const answer = await source.isFile(path);
        note({path, answer: String(answer)});
        return answer;
      },
      readStandardInput() {
        isRepeatable = false;
        return source.readStandardInput();
      },
    },
    observations: () => (isRepeatable ? [...seen.values()] : undefined),
  };
}

/** Whether the source would answer the same again. */
export async function isStillTrue({path, most, answer}: Observation, source: FileSource): Promise<boolean> {
  if (most === undefined) return String(await source.isFile(path)) === answer;
  try {
    return sha256Hex(await source.readBytes(path, most ?? undefined)) === answer;
  } catch (error) {
    return kindOf(error) === answer;
  }
}

function kindOf(error: unknown): string {
  return error instanceof TscomposeError ? error.kind : 'unknown';
}
