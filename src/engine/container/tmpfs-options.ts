import {TscomposeError} from '../../base/errors.ts';
import {propagations} from './mount-path.ts';

const flags: ReadonlySet<string> = new Set([
  'ro',
  'nosuid',
  'nodev',
  'noexec',
  'sync',
  'dirsync',
  'mand',
  'relatime',
  'noatime',
  'strictatime',
  'nodiratime',
]);
/** Options that take a flag of before away. */
const opposites: Readonly<Record<string, string>> = {
  rw: 'ro',
  suid: 'nosuid',
  dev: 'nodev',
  exec: 'noexec',
  async: 'sync',
  nomand: 'mand',
  norelatime: 'relatime',
  nostrictatime: 'strictatime',
  atime: 'noatime',
  diratime: 'nodiratime',
};
/** Told apart by the file system itself (tmpfs(5)). */
const dataOptions: ReadonlySet<string> = new Set([
  'size',
  'nr_blocks',
  'nr_inodes',
  'mode',
  'uid',
  'gid',
  'mpol',
  'huge',
]);

/** Splits the options of a tmpfs into mount flags and file system data. Docker's defaults below. Throws `invalid`. */
export function parseTmpfsOptions(
  target: string,
  options: readonly string[],
): {readonly flags: string; readonly data: string} {
  const set = new Set(['nosuid', 'nodev', 'noexec']);
  let spread: string | undefined;
  // Of two sizes the later one counts.
  const data = new Map<string, string>();
  for (const option of options) {
    const key = option.split('=', 1)[0] ?? option;
    if (flags.has(option)) set.add(option);
    else if (Object.hasOwn(opposites, option)) set.delete(opposites[option] as string);
    else if (propagations.includes(option)) spread = option;
    else if (dataOptions.has(key) && key !== option) data.set(key, option);
    else if (option !== 'defaults')
      throw new TscomposeError('invalid', `invalid tmpfs option for ${target}: "${option}"`);
  }
  return {flags: [...set, ...(spread === undefined ? [] : [spread])].join(','), data: [...data.values()].join(',')};
}
