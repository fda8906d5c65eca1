/** The end of a text that comes in pieces: whole lines, and what there is of one that has not ended. */
export interface OpenLines {
  readonly lines: readonly string[];
  readonly rest: string;
}

/** Nothing yet. */
export const noLines: OpenLines = {lines: [], rest: ''};

/** Lines that are kept, and characters of one. */
const mostLines = 20;
const mostCharacters = 1000;

/** With more of the text. What a program writes over (a bar of progress that is drawn again) is left out. */
export function withText({lines, rest}: OpenLines, text: string): OpenLines {
  const parts = (rest + text).split('\n');
  const open = (parts.pop() ?? '').slice(-mostCharacters * 4);
  const whole = parts.slice(-mostLines).map(shownPart);
  return {lines: [...lines, ...whole].slice(-mostLines), rest: open};
}

/** All lines there are, with the open one. */
export function linesOf({lines, rest}: OpenLines): readonly string[] {
  const open = shownPart(rest);
  return open === '' ? lines : [...lines, open];
}

function shownPart(line: string): string {
  const ended = line.replace(/\r+$/, '');
  return ended.slice(ended.lastIndexOf('\r') + 1).slice(0, mostCharacters);
}
