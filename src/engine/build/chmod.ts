import {TscomposeError} from '../../base/errors.ts';
import {isDirectory, isLink, type TreeEntry} from './source/tree.ts';
import {symbolicMode} from './symbolic-mode.ts';

const typeMask = 0o170000;

/** The mode, with its type, that an entry gets by `--chmod`; empty: its own. Throws `invalid`. */
export function chmodOf(text: string): (entry: TreeEntry) => number {
  if (text === '') return ({mode}) => mode;
  if (/^[0-7]{1,5}$/.test(text)) {
    const bits = Number.parseInt(text, 8);
    return (entry) => (isLink(entry) ? entry.mode : (entry.mode & typeMask) | bits);
  }
  const change = symbolicMode(text);
  if (!change) {
    throw new TscomposeError('invalid', `--chmod: "${text}" is no mode`, {
      hint: 'write it in octal, such as 0755, or as u=rwX,go=rX',
    });
  }
  return (entry) => (isLink(entry) ? entry.mode : change(entry.mode, isDirectory(entry)));
}

/** The mode of directories that are made for a target: that of `--chmod` as mkdir(2) has it, where it is in octal. */
export function madeMode(chmod: string): string {
  return /^[0-7]{1,5}$/.test(chmod) ? (Number.parseInt(chmod, 8) & 0o755).toString(8) : '755';
}
