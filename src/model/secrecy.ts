import type {Json} from '../base/canonical-json.ts';

const hidden = '********';

/** Names under which people keep what nobody else should read. */
const secretName =
  /pass(?:word|wd|phrase)?(?:_|$)|password|passwd|secret|token|api_?key|access_?key|private_?key|encryption_?key|signing_?key|credential|(?:^|_)(?:pwd|auth|dsn)(?:_|$)|(?:^|_)key$/i;

/** `scheme://user:password@host`: only the password is hidden. */
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)([^\s/@]+)(@)/gi;

/** A value as it may be shown: what its name says is secret, passwords in URLs, contents of secrets are masked. */
export function maskedValue(path: string, value: Json | undefined): Json | undefined {
  if (value === undefined || value === null) return value;
  if (typeof value === 'string') {
    if (/^secrets\..*\.content$/.test(path)) return hidden;
    const name = lastName(path);
    if (isVariable(path) && secretName.test(name) && value !== '') return hidden;
    return value.replace(urlPassword, `$1${hidden}$3`);
  }
  if (typeof value !== 'object') return isVariable(path) && secretName.test(lastName(path)) ? hidden : value;
  if (Array.isArray(value))
    return sameOr(
      value,
      value.map((item: Json, index) => maskedValue(`${path}[${index}]`, item) ?? null),
    );
  const members = Object.entries(value).map(
    ([key, member]) => [key, maskedValue(`${path}.${key}`, member as Json) ?? null] as const,
  );
  return sameOr(value, Object.fromEntries(members));
}

function sameOr(value: Json, masked: Json): Json {
  return JSON.stringify(value) === JSON.stringify(masked) ? value : masked;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

/** Only what a person names: an attribute like `secrets` is no secret itself. */
function isVariable(path: string): boolean {
  return (
    /\.(?:environment|args|labels|annotations|driver_opts|options|sysctls)\.[^.]+$/.test(path) ||
    /\.labels\./.test(path) ||
    /(?:^|\.)x-/.test(path)
  );
}
