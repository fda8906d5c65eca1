import {decodeUri} from '../base/decode-uri.ts';
import {TscomposeError} from '../base/errors.ts';
import {redactUrls} from '../base/redact-url.ts';

/** A place in a repository, as BuildKit writes them: `https://host/name.git#ref:directory`, `…git?ref=…&subdir=…`. */
export interface GitReference {
  /** What git is asked for: never with a password. */
  readonly url: string;
  readonly scheme: 'https' | 'http' | 'ssh' | 'git';
  /** Name of the host, with its port where there is one. */
  readonly host: string;
  /** Of an http address. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** A branch, a tag, a commit or a whole name (`refs/pull/1/head`); empty: what the repository shows first. */
  readonly ref: string;
  /** Beneath the repository's root; empty: all of it. */
  readonly subdir: string;
  /** Of the commit or tag, or the beginning of it. */
  readonly checksum: string | undefined;
  readonly keepGitDir: boolean | undefined;
  readonly submodules: boolean;
}

const scpStyle = /^([a-zA-Z0-9_][\w-]*)@([a-zA-Z0-9][\w.-]*):([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

/** Undefined for what names no repository. Throws `invalid` for one that is named wrongly. */
export function parseGitReference(written: string): GitReference | undefined {
  const text = written.startsWith('github.com/') ? `https://${written}` : written;
  const scp = scpStyle.exec(text);
  if (scp !== null) {
    const [, user = '', host = '', path = '', query = '', fragment = ''] = scp;
    checkPath(written, path);
    return {
      ...{url: `${user}@${host}:${path}`, scheme: 'ssh', host, user: undefined, password: undefined},
      ...readPlace(written, new URLSearchParams(query), fragment),
    };
  }
  const scheme = /^(https?|ssh|git):\/\//.exec(text)?.[1] as GitReference['scheme'] | undefined;
  if (scheme === undefined) return undefined;
  if (!URL.canParse(text)) throw wrong(written, 'it is no address');
  const url = new URL(text);
  const isWeb = scheme === 'https' || scheme === 'http';
  // Others are files.
  if (isWeb && !written.startsWith('github.com/') && !url.pathname.endsWith('.git')) return undefined;
  if (!/^[a-zA-Z0-9[]/.test(url.hostname)) throw wrong(written, `"${url.hostname}" is no host`);
  checkPath(written, url.pathname);
  const [user, password] = [decodeUri(url.username), decodeUri(url.password)];
  const login = scheme === 'ssh' && user !== '' ? `${url.username}@` : '';
  return {
    ...{url: `${scheme}://${login}${url.host}${url.pathname}`, scheme, host: url.host},
    user: isWeb && user !== '' ? user : undefined,
    password: isWeb && password !== '' ? password : undefined,
    ...readPlace(written, url.searchParams, decodeUri(url.hash.slice(1))),
  };
}

function readPlace(
  written: string,
  query: URLSearchParams,
  fragment: string,
): Pick<GitReference, 'ref' | 'subdir' | 'checksum' | 'keepGitDir' | 'submodules'> {
  const colon = fragment.indexOf(':');
  const given = {
    ref: colon < 0 ? fragment : fragment.slice(0, colon),
    subdir: colon < 0 ? '' : fragment.slice(colon + 1),
    checksum: '',
    keepGitDir: undefined as boolean | undefined,
    submodules: true,
  };
  const set = (key: 'ref' | 'subdir' | 'checksum', value: string) => {
    if (given[key] !== '' && given[key] !== value) throw wrong(written, `it has two values for "${key}"`);
    given[key] = value;
  };
  for (const name of new Set(query.keys())) {
    const [value = '', more] = query.getAll(name);
    if (value === '' || more !== undefined) throw wrong(written, `"${name}" needs one value`);
    if (name === 'ref') set('ref', value);
    else if (name === 'branch') set('ref', `refs/heads/${value}`);
    else if (name === 'tag') set('ref', `refs/tags/${value}`);
    else if (name === 'subdir') set('subdir', value);
    else if (name === 'checksum' || name === 'commit') set('checksum', value);
    else if (name === 'keep-git-dir') given.keepGitDir = readTruth(written, name, value);
    else if (name === 'submodules') given.submodules = readTruth(written, name, value);
    else {
      const hint = 'what there is: ref, branch, tag, commit, checksum, subdir, keep-git-dir, submodules';
      throw wrong(written, `"${name}" is not known`, hint);
    }
  }
  checkGitChecksum(given.checksum, written);
  const isWhole = given.checksum.length === 40 || given.checksum.length === 64;
  const ref = given.ref === '' && isWhole ? given.checksum : given.ref;
  checkRef(written, ref);
  return {...given, ref, subdir: cleanDirectory(written, given.subdir), checksum: given.checksum || undefined};
}

/** What `git check-ref-format` refuses, and what git would take for an option, a pattern or two names. */
function checkRef(written: string, ref: string): void {
  if (ref === '') return;
  const isWrong =
    /^[-+/.]|[/.]$|\.\.|\/\/|@\{|\.lock(?:\/|$)|\/\.|[\s~^:?*[\\]/.test(ref) || hasControl(ref) || ref === '@';
  if (isWrong) throw wrong(written, `"${ref}" is no name of a branch, tag or commit`);
}

function checkPath(written: string, path: string): void {
  if (path === '' || path === '/' || path.startsWith('-') || hasControl(path))
    throw wrong(written, 'it has no path of a repository');
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < ' ' || character === '\x7f');
}

/** A directory beneath the root, by names alone. */
function cleanDirectory(written: string, directory: string): string {
  const names = directory.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..') || hasControl(directory)) throw wrong(written, `directory "${directory}" leads out of it`);
  return names.join('/');
}

/** A commit's name, or the beginning of it. Throws `invalid`. */
function checkGitChecksum(checksum: string, what: string): void {
  if (checksum === '' || /^[0-9a-f]{7,64}$/.test(checksum)) return;
  throw wrong(what, `checksum "${checksum}" is no name of a commit`, 'write its hex digits, at least seven of them');
}

function readTruth(written: string, name: string, value: string): boolean {
  if (/^(?:1|t|true)$/i.test(value)) return true;
  if (/^(?:0|f|false)$/i.test(value)) return false;
  throw wrong(written, `"${name}" is true or false, not "${value}"`);
}

function wrong(written: string, reason: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', `repository "${redactUrls(written)}": ${redactUrls(reason)}`, {hint});
}
