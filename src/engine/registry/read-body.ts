import {TscomposeError} from '../../base/errors.ts';
import type {HttpResponse} from './http.ts';

/** A body that is kept in memory, of at most so many bytes. Throws `invalid` for a longer one. */
export async function readBody(response: HttpResponse, limit: number, what: string): Promise<Buffer> {
  const tooLong = () =>
    new TscomposeError('invalid', `registry ${response.url.host}: ${what} has more than ${limit} bytes`);
  if (Number(response.headers['content-length'] ?? 0) > limit) {
    response.discard();
    throw tooLong();
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body) {
    size += piece.length;
    // Leaving the loop ends the connection.
    if (size > limit) throw tooLong();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A JSON object of a body. Throws `invalid`. */
export async function readJson(
  response: HttpResponse,
  limit: number,
  what: string,
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBody(response, limit, what);
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return {...value};
  } catch (cause) {
    throw new TscomposeError('invalid', `registry ${response.url.host}: ${what} is not JSON`, {cause});
  }
  throw new TscomposeError('invalid', `registry ${response.url.host}: ${what} is not a JSON object`);
}
