import {type ErrorKind, TscomposeError} from '../../base/errors.ts';
import {formatWait} from './format-wait.ts';
import type {HttpResponse} from './http.ts';
import {readBody} from './read-body.ts';
import {retryAfterMs} from './retry.ts';

export interface Asked {
  /** `manifest library/redis:7`, `blob sha256:…`. */
  readonly what: string;
  /** As in references. */
  readonly registry: string;
}

const kinds: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'notFound',
  405: 'unsupported',
  413: 'invalid',
  429: 'exhausted',
};
/** Of an answer that tells of an error, this much is read. */
const answerMax = 64 * 1024;

/** The error that a registry's answer tells of. */
export async function errorOfResponse(response: HttpResponse, {what, registry}: Asked): Promise<TscomposeError> {
  const {status} = response;
  const said = await reasonOf(response);
  if (status === 429 || said.code === 'TOOMANYREQUESTS') return rateLimit(response, registry, said.text);
  const kind = kinds[status] ?? (status >= 500 ? 'unavailable' : 'invalid');
  const reason = said.text === '' ? `status ${status}` : said.text;
  const hint =
    kind === 'unauthorized' || kind === 'forbidden'
      ? `log in with an account that may do this: tscompose engine login${registry === 'docker.io' ? '' : ` ${registry}`}`
      : undefined;
  return new TscomposeError(kind, `registry ${registry}: ${what}: ${reason}`, {hint});
}

function rateLimit(response: HttpResponse, registry: string, text: string): TscomposeError {
  const [, count, seconds] = /^(\d+)(?:;w=(\d+))?/.exec(response.headers['ratelimit-limit'] ?? '') ?? [];
  const allowed =
    count === undefined ? '' : `: ${count} are allowed${seconds ? ` in ${formatWait(Number(seconds) * 1000)}` : ''}`;
  const afterMs = retryAfterMs(response, Date.now());
  const login = `tscompose engine login${registry === 'docker.io' ? '' : ` ${registry}`}`;
  const wait = afterMs === undefined ? '' : `try again in ${formatWait(afterMs)}, `;
  return new TscomposeError(
    'exhausted',
    `registry ${registry} refuses further requests for now${allowed}${text === '' ? '' : ` (${text})`}`,
    {hint: `${wait}log in (${login}), or name a mirror in registries.json`},
  );
}

/** `{"errors": [{"code", "message", "detail"}]}` of the distribution specification, or a short text. */
async function reasonOf(response: HttpResponse): Promise<{readonly code: string; readonly text: string}> {
  const bytes = await readBody(response, answerMax, 'the error').catch(() => Buffer.alloc(0));
  const text = bytes.toString('utf8');
  try {
    const value = JSON.parse(text) as {
      readonly errors?: unknown;
      readonly details?: unknown;
      readonly message?: unknown;
    };
    const [first] = Array.isArray(value.errors) ? (value.errors as unknown[]) : [];
    const {code, message} = (first ?? {}) as {readonly code?: unknown; readonly message?: unknown};
    const plain = value.details ?? value.message;
    return {
      code: typeof code === 'string' ? code : '',
      text: oneLine(typeof message === 'string' ? message : typeof plain === 'string' ? plain : ''),
    };
  } catch {
    return {code: '', text: /^\s*</.test(text) ? '' : oneLine(text)};
  }
}

/** Nothing that a terminal would act on, and no more than a line. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
    .trim()
    .slice(0, 200);
}
