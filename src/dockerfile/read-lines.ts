import {heredocWords} from './heredoc-words.ts';
import type {Heredoc, LogicalLine, Piece} from './logical-line.ts';
import type {Findings} from './source.ts';

/** The longest line of a Dockerfile that BuildKit reads, in bytes. */
const longestLine = 65_535;

/**
 * The instructions of a Dockerfile as texts: continued lines joined, comments and blank lines within them left out,
 * bodies of here-documents taken apart. Rules: the Dockerfile reference, "Format" and "Here-Documents".
 */
export function readLines(lines: readonly string[], escapeToken: string, findings: Findings): readonly LogicalLine[] {
  const result: LogicalLine[] = [];
  let comments: string[] = [];
  let index = 0;
  while (index < lines.length) {
    const text = withoutEnd(lines[index] ?? '');
    if (isComment(text)) {
      comments.push(text.trim().slice(1).trim());
      index += 1;
    } else if (text.trim() === '') {
      comments = [];
      index += 1;
    } else {
      const line = joinLines(lines, {index, escapeToken, comments, findings});
      comments = [];
      index = line.lastLine;
      if (line.text.trim() !== '') result.push(line);
    }
  }
  return result;
}

interface Joining {
  readonly index: number;
  readonly escapeToken: string;
  readonly comments: readonly string[];
  readonly findings: Findings;
}

function joinLines(lines: readonly string[], {index: first, escapeToken, comments, findings}: Joining): LogicalLine {
  const pieces: Piece[] = [];
  const blankLines: number[] = [];
  let text = '';
  let index = first;
  for (let goesOn = true; goesOn && index < lines.length; index++) {
    const line = withoutEnd(lines[index] ?? '');
    checkLength(line, index, findings);
    if (index > first && isComment(line)) continue;
    if (index > first && line.trim() === '') {
      blankLines.push(index + 1);
      continue;
    }
    const start = index === first ? line.length - line.trimStart().length : 0;
    const {kept, continued} = withoutContinuation(line.slice(start), escapeToken);
    pieces.push({at: text.length, line: index + 1, column: start + 1});
    text += kept;
    goesOn = continued;
  }
  const joined = {text, pieces, firstLine: first + 1, comments, blankLines};
  const heredocs: Heredoc[] = [];
  for (const word of heredocWords(text, escapeToken)) {
    const body = readBody(lines, index, word);
    if (body === undefined) {
      const place = {line: first + 1, column: 1, length: (lines[first] ?? '').trimEnd().length};
      const hint = `end the text with a line that says ${word.name} and nothing else`;
      findings.error(place, 'unterminated-heredoc', `the text "<<${word.name}" has no end`, hint);
      index = lines.length;
      break;
    }
    heredocs.push({...word, content: body.content, raw: body.raw, line: index + 1});
    index = body.next;
  }
  return {...joined, lastLine: index, heredocs};
}

function readBody(
  lines: readonly string[],
  from: number,
  {name, chomp}: {readonly name: string; readonly chomp: boolean},
): {readonly content: string; readonly raw: string; readonly next: number} | undefined {
  let content = '';
  let raw = '';
  for (let index = from; index < lines.length; index++) {
    const whole = lines[index] ?? '';
    const line = chomp ? whole.replace(/^\t+/, '') : whole;
    if (withoutEnd(line) === name) return {content, raw, next: index + 1};
    const end = index + 1 < lines.length ? '\n' : '';
    content += line + end;
    raw += whole + end;
  }
  return undefined;
}

function withoutEnd(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#');
}

/** An escape character at the end joins with the next line; a doubled one is none. */
function withoutContinuation(line: string, escapeToken: string): {readonly kept: string; readonly continued: boolean} {
  const trimmed = line.replace(/[ \t]+$/, '');
  if (!trimmed.endsWith(escapeToken) || trimmed.endsWith(escapeToken + escapeToken))
    return {kept: line, continued: false};
  return {kept: trimmed.slice(0, -1), continued: true};
}

function checkLength(line: string, index: number, findings: Findings): void {
  if (line.length < longestLine / 4 || Buffer.byteLength(line) <= longestLine) return;
  const place = {line: index + 1, column: 1, length: 1};
  findings.error(place, 'long-line', `the line is longer than ${longestLine} bytes`, 'break it with continuations');
}
