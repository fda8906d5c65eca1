import {createHash} from 'node:crypto';
import {open, utimes} from 'node:fs/promises';
import {join, posix} from 'node:path';
import {TscomposeError} from '../../base/errors.ts';

export interface Download {
  readonly url: string;
  /** `sha256:…`; undefined: it is not checked. */
  readonly checksum: string | undefined;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** Fetches a file. Answers its name, which the server or the address says. Throws `unavailable`, `notFound`, `invalid`. */
export async function download({url, checksum, directory, signal}: Download): Promise<string> {
  const address = addressOf(url);
  const response = await fetch(address, {signal, redirect: 'follow'}).catch((cause: Error) => {
    signal.throwIfAborted();
    const reason = cause.cause instanceof Error ? cause.cause.message : cause.message;
    throw new TscomposeError('unavailable', `cannot fetch ${address.href}: ${reason}`, {cause});
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    const kind = response.status === 404 ? 'notFound' : 'unavailable';
    throw new TscomposeError(kind, `cannot fetch ${address.href}: the server answered ${response.status}`);
  }
  const name = nameOf(response.headers.get('content-disposition'), new URL(response.url || address.href), address);
  const path = join(directory, name);
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      hash.update(chunk);
      await file.write(chunk);
    }
  } finally {
    await file.close();
  }
  checkDigest(address.href, checksum, `sha256:${hash.digest('hex')}`);
  const modified = Date.parse(response.headers.get('last-modified') ?? '');
  const time = Number.isNaN(modified) ? new Date(0) : new Date(modified);
  await utimes(path, time, time);
  return name;
}

function addressOf(url: string): URL {
  if (!/^https?:\/\//.test(url) || /\.git(?:[#?]|$)/.test(url)) {
    throw new TscomposeError('unsupported', `ADD of "${url}": repositories of git are not fetched`, {
      hint: 'clone it into the build context, or name an archive of it',
    });
  }
  try {
    return new URL(url);
  } catch (cause) {
    throw new TscomposeError('invalid', `"${url}" is no address`, {cause});
  }
}

/** A name that would lead elsewhere is none. */
function nameOf(disposition: string | null, final: URL, asked: URL): string {
  const stated = /filename="?([^";]+)"?/.exec(disposition ?? '')?.[1];
  const names = [stated, asked.pathname, final.pathname].map((path) => posix.basename(decode(path ?? '')));
  return names.find((name) => name !== '' && name !== '.' && name !== '..' && !name.includes('\0')) ?? 'download';
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function checkDigest(url: string, wanted: string | undefined, found: string): void {
  if (wanted === undefined || wanted === '') return;
  if (!/^sha256:[0-9a-f]{64}$/.test(wanted))
    throw new TscomposeError('invalid', `--checksum: "${wanted}" is no digest`, {
      hint: 'write sha256: and 64 hex digits',
    });
  if (wanted === found) return;
  throw new TscomposeError('invalid', `${url}: its digest is ${found}, not ${wanted}`);
}
