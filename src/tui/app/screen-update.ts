/**
 * What must be written to a screen that shows `before` so that it shows `after`: the rows that differ, each erased and
 * written at its place. Terminals that know synchronized updates (DEC mode 2026) show them all at once; others ignore
 * the mode. Empty where nothing differs. Rows must not be wider than the screen.
 */
export function screenUpdate(before: readonly string[], after: readonly string[]): string {
  let text = '';
  for (let row = 0; row < Math.max(before.length, after.length); row += 1) {
    const line = after[row] ?? '';
    if (line === (before[row] ?? '')) continue;
    // Erased before it is written: after the last column of a full row, erasing to its end takes that column away.
    text += `\x1b[${row + 1};1H\x1b[0m\x1b[K${line}`;
  }
  return text === '' ? '' : `\x1b[?2026h${text}\x1b[0m\x1b[?2026l`;
}
