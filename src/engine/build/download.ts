import {createHash} from 'node:crypto';
import {open, utimes} from 'node:fs/promises';
import {join, posix} from 'node:path';
import {decodeUri} from '../../base/decode-uri.ts';
import {TscomposeError} from '../../base/errors.ts';
import {redactUrls} from '../../base/redact-url.ts';
import {type Web, webAddress} from '../web.ts';
import {atMost, tooMuch} from './fetch/limits.ts';

export interface Download {
  readonly web: Web;
  readonly url: string;
  /** `sha256:…`; undefined: it is not checked. */
  readonly checksum: string | undefined;
  readonly directory: string;
  /** What a secret of the build holds: `HTTP_AUTH_TOKEN_<host>`, `HTTP_AUTH_HEADER_<host>`. */
  readonly secret: (id: string) => string | undefined;
  /** Bytes that it may have. */
  readonly most: number;
  readonly signal: AbortSignal;
}

export interface Downloaded {
  /** The last of the address, as BuildKit has it. */
  readonly name: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** Fetches a file. Throws `unavailable`, `notFound`, `unauthorized`, `forbidden`, `timeout`, `invalid`, `exhausted`. */
export async function download(wanted: Download): Promise<Downloaded> {
  const {web, url, checksum, directory, secret, most, signal} = wanted;
  const address = webAddress(url);
  const shown = redactUrls(address.href);
  const {headers, body} = await web.get({url: address, authorization: authorizationFor(address, secret), signal});
  const name = nameOf(address);
  const path = join(directory, name);
  const hash = createHash('sha256');
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of atMost(body, () => tooMuch(shown, most), most)) {
      hash.update(chunk);
      await file.write(chunk);
    }
  } finally {
    await file.close();
  }
  const digest = `sha256:${hash.digest('hex')}`;
  checkDigest(shown, checksum, digest);
  const modified = Date.parse(headers['last-modified'] ?? '');
  const time = Number.isNaN(modified) ? new Date(0) : new Date(modified);
  await utimes(path, time, time);
  return {name, digest};
}

/** Secrets are named as BuildKit names them. */
function authorizationFor({host}: URL, secret: Download['secret']): string | undefined {
  const header = secret(`HTTP_AUTH_HEADER_${host}`)?.trim();
  const token = secret(`HTTP_AUTH_TOKEN_${host}`)?.trim();
  const value = header || (token ? `Bearer ${token}` : undefined);
  if (value !== undefined && /[^\x20-\x7e]/.test(value))
    throw new TscomposeError('invalid', `the secret for "${host}" has more than one line`);
  return value;
}

/** As BuildKit names it: by the address alone. A name that would lead elsewhere is none. */
function nameOf({pathname}: URL): string {
  const name = posix.basename(decodeUri(pathname));
  return name === '' || name === '.' || name === '..' || name.includes('\0') ? '__unnamed__' : name;
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
