import {TscomposeError} from '../../base/errors.ts';
import {sortMountOptions} from '../mount-options.ts';

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
  const {flags, others, propagation} = sortMountOptions(options, ['nosuid', 'nodev', 'noexec']);
  // Of two sizes the later one counts.
  const data = new Map<string, string>();
  for (const option of others) {
    const key = option.split('=', 1)[0] ?? option;
    if (!dataOptions.has(key) || key === option)
      throw new TscomposeError('invalid', `invalid tmpfs option for ${target}: "${option}"`);
    data.set(key, option);
  }
  return {
    flags: [...flags, ...(propagation === undefined ? [] : [propagation])].join(','),
    data: [...data.values()].join(','),
  };
}
