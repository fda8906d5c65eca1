import type {CommandRow, Flag} from './command.ts';

const truths: Readonly<Record<string, boolean>> = {
  ...{'1': true, t: true, T: true, TRUE: true, true: true, True: true},
  ...{'0': false, f: false, F: false, FALSE: false, false: false, False: false},
};

/**
 * Switches that are given a value, as Docker's command line takes them: `-H=false`, `--quiet=true`. One that says what would be
 * so anyway is left out. `--no-TTY` is its spelling of `--no-tty`. What belongs to a container's command is left alone.
 */
export function restateSwitches(words: readonly string[], {flags, passThrough}: CommandRow): string[] {
  const stated: string[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = (words[index] ?? '').replace(/^--no-TTY(?==|$)/, '--no-tty');
    if (word === '--' || (passThrough === true && !word.startsWith('-'))) return [...stated, ...words.slice(index)];
    const [, dashes = '', name = '', value] = /^(--?)([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const found = dashes === '' ? undefined : findFlag(flags, dashes, name);
    const truth = value === undefined ? undefined : truths[value];
    if (found === undefined || found.flag.value !== undefined || truth === undefined) {
      stated.push(word);
      // The next word is its value, whatever it looks like.
      if (found?.flag.value !== undefined && value === undefined) stated.push(...words.slice(++index, index + 1));
    } else if (found.flag.default === true) stated.push(...(truth ? [] : [`--${found.name}=false`]));
    else if (truth) stated.push(`--${found.name}`);
  }
  return stated;
}

function findFlag(
  flags: CommandRow['flags'],
  dashes: string,
  name: string,
): {readonly name: string; readonly flag: Flag} | undefined {
  const entries = Object.entries(flags);
  const [found] = entries.filter(([long, {short}]) => (dashes === '--' ? long === name : short === name));
  return found && {name: found[0], flag: found[1]};
}
