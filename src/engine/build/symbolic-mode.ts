/** A mode after one change; `before`: as it was in front of the first one, and executable where it is a directory. */
type Change = (mode: number, before: number) => number;

const people: Readonly<Record<string, number>> = {u: 0o4700, g: 0o2070, o: 0o0007, a: 0o6777};
const permissions: Readonly<Record<string, number>> = {r: 0o444, w: 0o222, x: 0o111};
const sticky = 0o1000;

/**
 * `u=rwX,go=rX` as a function of a mode; undefined: it is no such text. BuildKit reads these as BSD's setmode(3) does, with a
 * umask of 0: where GNU's chmod(1) lets `o=` clear the sticky bit and `g=u` the set-group-ID bit, they stay here.
 */
export function symbolicMode(text: string): ((mode: number, directory: boolean) => number) | undefined {
  const changes: Change[] = [];
  for (const clause of text.split(',')) {
    const [, who = '', rest] = /^([ugoa]*)((?:[-+=][ugorwxXst]*)+)$/.exec(clause) ?? [];
    if (rest === undefined) return undefined;
    const named = [...who].reduce((sum, one) => sum | (people[one] ?? 0), 0);
    for (const [, operator = '', letters = ''] of rest.matchAll(/([-+=])([ugorwxXst]*)/g)) {
      changes.push(...changesOf(operator, letters, named));
    }
  }
  return (mode, directory) => {
    const before = directory ? mode | 0o111 : mode;
    return changes.reduce((changed, change) => change(changed, before), mode);
  };
}

/** `named`: the bits of those who are named, 0 for nobody. The sticky bit is among them only once `t` is asked for. */
function changesOf(operator: string, letters: string, named: number): readonly Change[] {
  const changes: Change[] = [];
  // Where only others are named, `s` and `t` mean nothing.
  const special = named === 0 || (named & ~0o7) !== 0;
  let reach = named;
  let wanted = 0;
  let replaced = operator !== '=';
  for (const letter of letters) {
    if ('ugo'.includes(letter)) {
      if (wanted !== 0) changes.push(put(operator, reach, wanted));
      changes.push(copy(operator, reach, 'ogu'.indexOf(letter) * 3));
      wanted = 0;
      replaced = true;
    } else if (letter === 't' && special) {
      reach |= sticky;
      wanted |= sticky;
    } else if (letter === 's' && special) wanted |= 0o6000;
    else wanted |= permissions[letter] ?? 0;
  }
  if (wanted !== 0 || !replaced) changes.push(put(operator, reach, wanted));
  if (letters.includes('X')) changes.push(search(operator, reach));
  return changes;
}

function put(operator: string, reach: number, wanted: number): Change {
  const bits = reach === 0 ? wanted : wanted & reach;
  if (operator === '+') return (mode) => mode | bits;
  if (operator === '-') return (mode) => mode & ~bits;
  const cleared = reach === 0 ? 0o6777 : reach;
  return (mode) => (mode & ~cleared) | bits;
}

/** `g=u`: what another one may do; the special bits stay. */
function copy(operator: string, reach: number, shift: number): Change {
  const area = reach === 0 ? 0o777 : reach & 0o777;
  return (mode) => {
    const bits = (((mode >> shift) & 0o7) * 0o111) & area;
    if (operator === '+') return mode | bits;
    return operator === '-' ? mode & ~bits : (mode & ~area) | bits;
  };
}

/** `X`: what somebody may execute already. */
function search(operator: string, reach: number): Change {
  const bits = reach === 0 ? 0o111 : reach & 0o111;
  return (mode, before) => {
    if ((before & 0o111) === 0) return mode;
    return operator === '-' ? mode & ~bits : mode | bits;
  };
}
