import type {Problems} from '../problems.ts';
import type {SourceFile, Span} from '../source.ts';

/** Values within values: far above any real file, far below what the stack of calls can bear. */
export const deepest = 200;
/** What looks like nesting before it is parsed may be text: only what no parser could bear is refused then. */
const deepestLook = 1000;

/**
 * False, and a problem, for a text so deeply nested that parsing it would take minutes or all memory: brackets that are
 * never closed, lines that begin with dashes without end. Brackets in texts and comments count too.
 */
export function isShallow(source: SourceFile, problems: Problems): boolean {
  const at = tooDeepAt(source.text);
  if (at === undefined) return true;
  tooDeep({source, start: at, end: at + 1}, problems);
  return false;
}

export function tooDeep(at: Span, problems: Problems): void {
  problems.error(at, {
    code: 'too-deep',
    once: 'too deep',
    message: `values are nested more than ${deepest} levels deep`,
    hint: 'look for brackets that are not closed, and for lines that begin with many dashes',
  });
}

function tooDeepAt(text: string): number | undefined {
  let brackets = 0;
  /** Dashes and question marks at the beginning of the line, and how far its first value is indented. */
  let indicators = 0;
  let atBeginning = true;
  let column = 0;
  const indents: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a) {
      [indicators, column, atBeginning] = [0, 0, true];
      continue;
    }
    if (atBeginning) {
      column += 1;
      if (code === 0x20 || code === 0x09) continue;
      const next = text.charCodeAt(at + 1);
      const isIndicator = (code === 0x2d || code === 0x3f || code === 0x3a) && (next === 0x20 || next === 0x09);
      if (isIndicator) indicators += 1;
      else {
        atBeginning = false;
        while ((indents.at(-1) ?? -1) >= column) indents.pop();
        indents.push(column);
      }
    }
    if (code === 0x5b || code === 0x7b) brackets += 1;
    else if ((code === 0x5d || code === 0x7d) && brackets > 0) brackets -= 1;
    if (brackets > deepestLook || indicators > deepestLook || indents.length > deepestLook) return at;
  }
  return undefined;
}
