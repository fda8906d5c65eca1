import type {Difference} from './differences.ts';
import type {Answer} from './run-stack.mjs';

/** Lines by the path of their fact: `stack/services/name/fact`. */
export type Facts = ReadonlyMap<string, readonly string[]>;

export function flattenAnswer(answer: Answer, path: string): Facts {
  return new Map(flatten(answer, path));
}

function flatten(answer: Answer, path: string): readonly (readonly [string, readonly string[]])[] {
  return Object.entries(answer).flatMap(([name, value]): readonly (readonly [string, readonly string[]])[] => {
    const here = `${path}/${name}`;
    if (Array.isArray(value)) {
      return [[here, value.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)))]];
    }
    if (typeof value === 'object' && value !== null) return flatten(value as Answer, here);
    return [[here, [String(value)]]];
  });
}

/** Both sides as lines with their path in front, the known differences taken out. */
export function compareFacts(
  facts: {readonly theirs: Facts; readonly ours: Facts},
  differences: readonly Difference[],
): {readonly theirs: readonly string[]; readonly ours: readonly string[]} {
  const paths = [...new Set([...facts.theirs.keys(), ...facts.ours.keys()])].sort();
  const render = (side: Facts) =>
    paths.flatMap((path) => {
      const rows = differences.filter(({at}) => at.test(path));
      return (side.get(path) ?? []).flatMap((line) => settle(line, rows)).map((line) => `${path}: ${line}`);
    });
  return {theirs: render(facts.theirs), ours: render(facts.ours)};
}

function settle(line: string, rows: readonly Difference[]): readonly string[] {
  for (const {line: pattern, to} of rows) {
    if (!pattern.test(line)) continue;
    return to === undefined ? [] : [line.replace(pattern, to)];
  }
  return [line];
}

/** What the machine decides is left out before anything else is said about it. */
export function rowsByMachine(differences: readonly Difference[]): {
  readonly rowsHere: readonly Difference[];
  readonly rowsElsewhere: readonly Difference[];
} {
  const rowsHere = differences.filter(({machine}) => machine !== 'elsewhere');
  return {rowsHere, rowsElsewhere: [...differences.filter(({machine}) => machine === 'elsewhere'), ...rowsHere]};
}

/** Rows of differences between engines without which nothing of what was compared is different. */
export function needlessRows(
  rows: readonly Difference[],
  seen: readonly {readonly theirs: Facts; readonly ours: Facts}[],
): readonly Difference[] {
  return rows.filter((row) => {
    const others = rows.filter((other) => other !== row);
    return (
      row.machine === undefined &&
      seen.every((facts) => {
        const {theirs, ours} = compareFacts(facts, others);
        return JSON.stringify(ours) === JSON.stringify(theirs);
      })
    );
  });
}
