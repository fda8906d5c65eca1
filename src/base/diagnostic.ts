import {defused} from './printable.ts';

/** A problem in a file that a person wrote, with its place. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable, kebab-case: `unknown-key`. */
  readonly code: string;
  /** Lower-case, names the thing, then the reason. */
  readonly message: string;
  /** As it is shown: usually the path as the user gave it. */
  readonly file?: string;
  /** From 1; columns count UTF-16 units. */
  readonly line?: number;
  readonly column?: number;
  /** How much of the line is meant, at least 1. */
  readonly length?: number;
  /** The text of the line. */
  readonly excerpt?: string;
  /** A sentence a person can act on. */
  readonly hint?: string;
  /** What is right in place of what is meant, where there is one way to put it right. */
  readonly fix?: string;
  /** What a program that failed said last, a line each. */
  readonly output?: readonly string[];
  /** What else belongs to the problem, mostly a second place: where a key was defined first. */
  readonly related?: {
    readonly message: string;
    readonly file?: string;
    readonly line?: number;
    readonly column?: number;
  };
}

/** Problems that came over a wire: what has no message is none. */
export function readDiagnostics(value: unknown): readonly Diagnostic[] {
  if (!Array.isArray(value)) return [];
  return value.filter(
    (item: Partial<Diagnostic> | null): item is Diagnostic =>
      typeof item?.message === 'string' && typeof item.code === 'string' && typeof item.severity === 'string',
  );
}

export interface DiagnosticRendering {
  readonly color?: boolean;
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
const zeroWidth = /[\p{Mn}\p{Cf}]/u;

/** Cells that a character takes on a terminal. */
function cells(character: string): number {
  if (zeroWidth.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** White space that ends where the text ends; tabs stay tabs, so that a caret below lines up. */
function blank(text: string): string {
  return [...text].map((character) => (character === '\t' ? '\t' : ' '.repeat(cells(character)))).join('');
}

/** At most this much of a line on either side of what is meant. */
const around = 60;
const mostMarked = 80;

/** The part of a line that is shown, with `…` where something is left out. */
function clip(
  line: string,
  start: number,
  length: number,
): {readonly before: string; readonly marked: string; readonly after: string} {
  const end = start + Math.min(length, mostMarked);
  return {
    before: start > around ? `…${line.slice(start - around + 1, start)}` : line.slice(0, start),
    marked: line.slice(start, end),
    after: line.length - end > around ? `${line.slice(end, end + around - 1)}…` : line.slice(end),
  };
}

function paint(color: boolean): Record<'error' | 'warning' | 'frame' | 'hint' | 'strong', (text: string) => string> {
  const style = (open: number, close: number) => (text: string) =>
    color ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    error: style(31, 39),
    warning: style(33, 39),
    frame: style(34, 39),
    hint: style(36, 39),
    strong: style(1, 22),
  };
}

/**
 * One problem as a person reads it:
 *
 * ```text
 * error[unknown-key]: services.api: unknown attribute "enviroment"
 *  --> compose.yaml:5:5
 *   |
 * 5 |     enviroment:
 *   |     ^^^^^^^^^^ did you mean "environment"?
 * ```
 */
export function renderDiagnostic(given: Diagnostic, {color = false}: DiagnosticRendering = {}): string {
  const diagnostic = defusedAll(given);
  const style = paint(color);
  const head = style[diagnostic.severity](`${diagnostic.severity}[${diagnostic.code}]`);
  const lines = [`${head}: ${style.strong(diagnostic.message)}`];
  const {file, line, column = 1, excerpt, hint, related, output} = diagnostic;
  if (file === undefined) {
    if (hint !== undefined) lines.push(` ${style.frame('=')} ${style.hint(hint)}`);
    return lines.join('\n');
  }
  const number = line === undefined ? '' : String(line);
  const margin = ' '.repeat(number.length);
  lines.push(`${margin}${style.frame('-->')} ${file}${line === undefined ? '' : `:${line}:${column}`}`);
  if (excerpt !== undefined && line !== undefined) {
    const {before, marked, after} = clip(excerpt, column - 1, diagnostic.length ?? 1);
    const carets = '^'.repeat(
      Math.max(
        1,
        [...marked].reduce((sum, character) => sum + cells(character), 0),
      ),
    );
    const note = hint === undefined ? '' : ` ${style.hint(hint)}`;
    lines.push(`${margin} ${style.frame('|')}`);
    lines.push(`${style.frame(`${number} |`)} ${before}${marked}${after}`);
    lines.push(`${margin} ${style.frame('|')} ${blank(before)}${style[diagnostic.severity](carets)}${note}`);
  } else if (hint !== undefined) {
    lines.push(`${margin} ${style.frame('=')} ${style.hint(hint)}`);
  }
  if (related !== undefined) {
    const at = related.file === undefined ? '' : `: ${related.file}:${related.line}:${related.column}`;
    lines.push(`${margin} ${style.frame('=')} ${related.message}${at}`);
  }
  if (output !== undefined && output.length > 0) {
    lines.push(`${margin} ${style.frame('=')} it said last:`);
    for (const said of output) lines.push(`${margin}     ${said}`);
  }
  return lines.join('\n');
}

/** A stack file that somebody else wrote, or what a program said, does nothing to the terminal. */
function defusedAll(diagnostic: Diagnostic): Diagnostic {
  const {message, file, excerpt, hint, related, output} = diagnostic;
  return {
    ...diagnostic,
    message: defused(message),
    ...(file !== undefined && {file: defused(file)}),
    ...(excerpt !== undefined && {excerpt: defused(excerpt)}),
    ...(hint !== undefined && {hint: defused(hint)}),
    ...(related !== undefined && {
      related: {
        ...related,
        message: defused(related.message),
        ...(related.file !== undefined && {file: defused(related.file)}),
      },
    }),
    ...(output !== undefined && {output: output.map(defused)}),
  };
}

export function renderDiagnostics(diagnostics: readonly Diagnostic[], rendering: DiagnosticRendering = {}): string {
  return diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, rendering)).join('\n\n');
}
