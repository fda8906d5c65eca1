import {setTimeout as delay} from 'node:timers/promises';
import {backoffDelays} from '../../base/backoff.ts';
import {hasKind} from '../../base/errors.ts';
import type {HttpResponse} from './http.ts';

/** Answers that may be others the next time. */
const passing: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** A registry that wants us to wait longer is told about instead. */
const waitMaxMs = 60_000;

export const retryDelays = {firstMs: 250, maxMs: 8000, attempts: 4};

/** Sends until there is an answer that will stay, a few times. The last answer or error is the caller's. */
export async function sendRepeatedly(
  send: (attempt: number) => Promise<HttpResponse>,
  signal: AbortSignal,
): Promise<HttpResponse> {
  let attempt = 0;
  for (const delayMs of backoffDelays(retryDelays)) {
    const wait = await tryOnce(() => send(attempt), delayMs);
    if ('response' in wait) return wait.response;
    await pause(wait.afterMs, signal);
    attempt += 1;
  }
  return await send(attempt);
}

async function tryOnce(
  send: () => Promise<HttpResponse>,
  delayMs: number,
): Promise<{readonly response: HttpResponse} | {readonly afterMs: number}> {
  let response: HttpResponse;
  try {
    response = await send();
  } catch (error) {
    if (!isPassing(error)) throw error;
    return {afterMs: delayMs};
  }
  if (!passing.has(response.status)) return {response};
  const wantedMs = retryAfterMs(response, Date.now());
  if (wantedMs !== undefined && wantedMs > waitMaxMs) return {response};
  // Without a word about it, who asks too often is not helped by asking again soon.
  if (response.status === 429 && wantedMs === undefined) return {response};
  response.discard();
  return {afterMs: wantedMs ?? delayMs};
}

/** Whether an error may go away by itself. Certificates and names that do not exist stay as they are. */
export function isPassing(error: unknown): boolean {
  if (!hasKind(error, 'unavailable', 'timeout')) return false;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  return !/^(ENOTFOUND|ECONNREFUSED|ERR_SSL_.*|EPROTO)$/.test(code);
}

/** `Retry-After`: seconds, or a date; Docker Hub writes unix seconds. */
export function retryAfterMs(response: Pick<HttpResponse, 'headers'>, nowMs: number): number | undefined {
  const text = response.headers['retry-after'];
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) {
    const seconds = Number(text);
    return Math.max(0, seconds > 1_000_000_000 ? seconds * 1000 - nowMs : seconds * 1000);
  }
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** Waits, unless it is canceled. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, {signal});
}
