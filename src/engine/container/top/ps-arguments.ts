import {TscomposeError} from '../../../base/errors.ts';
import {type ColumnName, columns} from './columns.ts';

export interface ShownColumn {
  readonly name: ColumnName;
  readonly title: string;
}

const full: readonly ShownColumn[] = [
  {name: 'user', title: 'UID'},
  ...named('pid', 'ppid', 'c', 'stime', 'tname', 'time', 'cmd'),
];
const userOriented: readonly ShownColumn[] = named(
  ...(['user', 'pid', 'pcpu', 'pmem', 'vsz', 'rss', 'tname', 'stat', 'start_time', 'bsdtime', 'args'] as const),
);

/**
 * The columns that arguments of ps(1) ask for: `-ef` and its parts, `aux`, and `-o` with a list. The processes are always
 * those of the container, whatever is selected. Throws `unsupported` naming what we do not know.
 */
export function parsePsArguments(text: string): readonly ShownColumn[] {
  const words = text.trim() === '' ? ['-ef'] : text.trim().split(/\s+/);
  const chosen: ShownColumn[] = [];
  let style: readonly ShownColumn[] | undefined;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const list = /^-?[eAax]*o(.*)$|^--format(?:=(.*))?$/.exec(word);
    if (list !== null) {
      const inside = list[1] || list[2];
      if (!inside) at += 1;
      chosen.push(...parseColumns(inside || (words[at] ?? ''), word));
    } else if (/^-[eA]*f[eA]*$/.test(word)) style = full;
    else if (/^-?(?=.*u)[axu]+$/.test(word)) style = userOriented;
    else if (!/^-[eA]+$|^a?x$/.test(word)) throw refused(word);
  }
  return chosen.length > 0 ? chosen : (style ?? full);
}

/** `pid,user=WHO,args`: a title of one's own takes the rest of the list. */
function parseColumns(list: string, word: string): readonly ShownColumn[] {
  if (list === '') throw refused(word);
  const chosen: ShownColumn[] = [];
  for (let rest = list; rest !== ''; ) {
    const [, name = '', title, further = ''] = /^([^,=]+)(?:=(.*)|(?:,(.*))?)$/.exec(rest) ?? [];
    if (!isColumn(name)) throw refused(name === '' ? list : name);
    chosen.push({name, title: title ?? columns[name].title});
    rest = title === undefined ? further : '';
  }
  return chosen;
}

function isColumn(name: string): name is ColumnName {
  return Object.hasOwn(columns, name);
}

function named(...names: readonly ColumnName[]): readonly ShownColumn[] {
  return names.map((name) => ({name, title: columns[name].title}));
}

function refused(word: string): TscomposeError {
  return new TscomposeError('unsupported', `ps_args: "${word}" is not supported`, {
    hint: 'use -ef, aux, or -o with a list of columns, as in "-o pid,user,args"',
  });
}
