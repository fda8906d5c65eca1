/** Colours and other attributes (ECMA-48 SGR), which cannot do more than look different. */
const attributes = /\x1b\[[0-9;:]*m/g;
/** Any other control sequence, string (title, clipboard, links) or escape of ECMA-48, and lone control characters. */
const controls =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_\]][\s\S]*?(?:\x1b\\|\x07|$)|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/**
 * A line of a container's output, made safe to show: a container must not move the cursor, change the title or write
 * to the clipboard of whoever looks at its log. Colours stay where colours are wanted. Of a line that was overwritten
 * with carriage returns (a progress bar) the last state is shown.
 */
export function safeForTerminal(line: string, color: boolean): string {
  const shown = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  let safe = '';
  let from = 0;
  for (const match of shown.matchAll(attributes)) {
    safe += shown.slice(from, match.index).replace(controls, '');
    if (color) safe += match[0];
    from = match.index + match[0].length;
  }
  safe += shown.slice(from).replace(controls, '');
  return color && from > 0 ? `${safe}\x1b[0m` : safe;
}
