import stringWidth from 'fast-string-width';
import {cut, harmless} from '../report/cells.ts';

/** How a table gives way in a terminal that is too narrow for it. */
export interface Fit {
  /** Columns of the terminal; undefined: the table is for a file or another program, and stays whole. */
  readonly columns: number | undefined;
  /** Titles of columns that are left out, in this order, until the rest fits. */
  readonly drop: readonly string[];
  /** Titles of columns that may be cut, with the fewest cells that still say something. */
  readonly cut?: Readonly<Record<string, number>>;
}

/**
 * Rows as aligned columns with three blanks between, as Docker prints them; widths are terminal cells. What images, containers
 * and registries say of themselves is in them: no cell can move the cursor or begin a line.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[], fit?: Fit): string {
  const all = [header, ...rows].map((row) => row.map(harmless));
  const columns = header.map(
    (title, index): Column => ({
      index,
      title,
      width: Math.max(...all.map((row) => stringWidth(row[index] ?? ''))),
    }),
  );
  const shown = fit?.columns === undefined ? columns : fitted(columns, fit.columns, fit);
  return all
    .map((row) =>
      shown
        .map(({index, width}) => {
          const cell = cut(row[index] ?? '', width);
          return cell + ' '.repeat(Math.max(0, width - stringWidth(cell)));
        })
        .join(gap)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

const gap = '   ';

interface Column {
  readonly index: number;
  readonly title: string;
  /** In cells. */
  readonly width: number;
}

/** At least one column is left, cut if need be: no line is wider than the terminal. */
function fitted(columns: readonly Column[], room: number, {drop, cut: least = {}}: Fit): readonly Column[] {
  const total = (some: readonly Column[]) =>
    some.reduce((sum, {width}) => sum + width, 0) + gap.length * (some.length - 1);
  const shortest = (some: readonly Column[]) =>
    some.map((column) => ({...column, width: Math.min(column.width, least[column.title] ?? column.width)}));
  let shown = columns;
  for (const title of drop) {
    if (total(shortest(shown)) <= room || shown.length === 1) break;
    shown = shown.filter((column) => column.title !== title);
  }
  // What may be cut gives way from the right; then, as nothing else helps, everything does.
  for (const limits of [least, {}] as const) {
    for (const column of [...shown].reverse()) {
      const excess = total(shown) - room;
      if (excess <= 0) break;
      const limit = limits === least ? (least[column.title] ?? column.width) : 1;
      const width = Math.max(Math.min(limit, column.width), column.width - excess);
      shown = shown.map((other) => (other === column ? {...column, width} : other));
    }
  }
  return shown;
}
