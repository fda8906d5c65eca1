import type {Json} from '../base/canonical-json.ts';
import type {FieldChange} from './action.ts';

/** Variables whose names say that their values are nobody's business. */
const secretName =
  /(^|[_-])(PASS|PASSWD|PASSWORD|PASSPHRASE|TOKEN|SECRET|KEY|APIKEY|CREDENTIALS?|AUTH)([_-]|$)|PASSWORD|SECRET/i;
/** `scheme://user:password@host`. */
const urlPassword = /(\/\/[^\s/:@]*:)[^\s/@]+(@)/g;

/** True for a field whose value must not be shown: secret contents, and variables and labels with a telling name. */
export function isSecretField(field: string): boolean {
  const [attribute, ...rest] = field.split('.');
  const name = rest.join('.');
  if (attribute === undefined) return false;
  if (attribute.startsWith('secrets') || attribute.startsWith('configs')) return /(content|hash|digest)/.test(name);
  return (attribute === 'environment' || attribute === 'labels') && secretName.test(name);
}

/** A change as it may be shown: secret values are replaced by words that say whether they are there and differ. */
export function maskedChange(change: {
  readonly field: string;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  readonly show: (value: Json) => string;
}): Pick<FieldChange, 'field' | 'before' | 'after'> {
  const {field, before, after, show} = change;
  if (isSecretField(field)) {
    return {
      field,
      ...(before === undefined ? {} : {before: '‹set›'}),
      ...(after === undefined ? {} : {after: before === undefined ? '‹set›' : '‹set, changed›'}),
    };
  }
  const shownBefore = before === undefined ? undefined : maskUrls(show(before));
  const shownAfter = after === undefined ? undefined : maskUrls(show(after));
  const hidden = shownBefore !== undefined && shownBefore === shownAfter;
  return {
    field,
    ...(shownBefore === undefined ? {} : {before: shownBefore}),
    ...(shownAfter === undefined ? {} : {after: hidden ? `${shownAfter} ‹password changed›` : shownAfter}),
  };
}

function maskUrls(text: string): string {
  return text.replace(urlPassword, '$1‹hidden›$2');
}
