import type {Endpoint, HandlerInput} from '../api/endpoint.ts';
import {TscomposeError} from '../base/errors.ts';
import type {ServerRequest} from './request.ts';
import type {Route} from './router.ts';

/** Reads what a row says of a request: path, query and body. Unknown query keys are ignored. Throws `invalid`. */
export async function readInput(
  route: Route,
  request: ServerRequest,
  signal: AbortSignal,
): Promise<HandlerInput<Endpoint>> {
  return {
    path: route.path,
    query: readQuery(route.endpoint, request),
    headers: readHeaders(route.endpoint, request),
    body: (await readBody(route.endpoint, request)) as undefined,
    signal,
  };
}

function readQuery(endpoint: Endpoint, request: ServerRequest): Record<string, unknown> {
  const query: Record<string, unknown> = {};
  for (const [name, parameter] of Object.entries(endpoint.query)) {
    const given = request.query?.[name];
    if (given === undefined) continue;
    const values = typeof given === 'string' ? [given] : given;
    if (values.length > 0) query[name] = parameter.parse(values, name);
  }
  return query;
}

function readHeaders(endpoint: Endpoint, request: ServerRequest): Record<string, string> {
  const found = Object.entries(endpoint.headers ?? {}).map(([name, header]) => [name, request.headers?.[header]]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

async function readBody(endpoint: Endpoint, request: ServerRequest): Promise<unknown> {
  const body = request.body;
  switch (endpoint.body.kind) {
    case 'none':
      return undefined;
    case 'bytes':
      if (body !== undefined && 'json' in body) throw new TscomposeError('invalid', 'expected an archive, not JSON');
      return body?.stream ?? empty();
    case 'json': {
      const value = body === undefined ? undefined : 'json' in body ? body.json : await parseBody(body);
      if (value === undefined && endpoint.body.optional) return {};
      if (value === undefined) throw new TscomposeError('invalid', 'the request has no body');
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        throw new TscomposeError('invalid', 'the request body is not a JSON object');
      }
      return value;
    }
  }
}

/** More than any create body needs; without a limit one request could take all memory. */
const largestJsonBody = 32 * 1024 * 1024;

async function parseBody(body: {
  readonly stream: AsyncIterable<Uint8Array>;
  readonly contentType: string;
}): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body.stream) {
    size += piece.length;
    if (size > largestJsonBody)
      throw new TscomposeError('invalid', `the request body is larger than ${largestJsonBody} bytes`);
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString('utf8').trim();
  if (text === '') return undefined;
  if (!/^application\/json\s*(;|$)/i.test(body.contentType)) {
    throw new TscomposeError(
      'invalid',
      `unsupported Content-Type header (${body.contentType}): must be 'application/json'`,
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TscomposeError(
      'invalid',
      `the request body is not valid JSON: ${cause instanceof Error ? cause.message : ''}`,
      {cause},
    );
  }
}

async function* empty(): AsyncGenerator<Uint8Array> {}
