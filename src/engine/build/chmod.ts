import {TscomposeError} from '../../base/errors.ts';
import {isDirectory, isLink, type TreeEntry} from './source/tree.ts';

const typeMask = 0o170000;

/** The mode, with its type, that an entry gets by `--chmod`; empty: its own. Throws `invalid`. */
export function chmodOf(text: string): (entry: TreeEntry) => number {
  if (text === '') return ({mode}) => mode;
  if (/^[0-7]{1,5}$/.test(text)) {
    const bits = Number.parseInt(text, 8);
    return (entry) => (isLink(entry) ? entry.mode : (entry.mode & typeMask) | bits);
  }
  const clauses = text.split(',').map((clause) => parseClause(clause, text));
  return (entry) => (isLink(entry) ? entry.mode : clauses.reduce((mode, apply) => apply(mode, entry), entry.mode));
}

/** The mode of directories that are made for a target: that of `--chmod` as mkdir(2) has it, where it is in octal. */
export function madeMode(chmod: string): string {
  return /^[0-7]{1,5}$/.test(chmod) ? (Number.parseInt(chmod, 8) & 0o755).toString(8) : '755';
}

type Clause = (mode: number, entry: TreeEntry) => number;

const who: Readonly<Record<string, number>> = {u: 0o4700, g: 0o2070, o: 0o1007};
const bits: Readonly<Record<string, number>> = {r: 0o444, w: 0o222, x: 0o111, s: 0o6000, t: 0o1000};

/** `u+rwx`, `go-w`, `a=rX`: as chmod(1) reads them. */
function parseClause(clause: string, text: string): Clause {
  const [, people = '', rest = ''] = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause) ?? [];
  if (rest === '') {
    throw new TscomposeError('invalid', `--chmod: "${text}" is no mode`, {
      hint: 'write it in octal, such as 0755, or as u=rwX,go=rX',
    });
  }
  const reach =
    people === '' || people.includes('a') ? 0o7777 : [...people].reduce((sum, one) => sum | (who[one] ?? 0), 0);
  const changes = [...rest.matchAll(/([-+=])([ugorwxXst]*)/g)].map(([, operator = '', letters = '']) => ({
    operator,
    letters,
  }));
  return (before, entry) =>
    changes.reduce((mode, {operator, letters}) => {
      const wanted = [...letters].reduce((sum, letter) => sum | bitsOf(letter, mode, entry), 0) & reach;
      if (operator === '+') return mode | wanted;
      return operator === '-' ? mode & ~wanted : (mode & ~(reach & 0o7777)) | wanted;
    }, before);
}

function bitsOf(letter: string, mode: number, entry: TreeEntry): number {
  const shift = 'ogu'.indexOf(letter) * 3;
  // `g=u`: what another one may do.
  if (shift >= 0) return ((mode >> shift) & 0o7) * 0o111;
  if (letter !== 'X') return bits[letter] ?? 0;
  return isDirectory(entry) || (mode & 0o111) !== 0 ? 0o111 : 0;
}
