import type {Place} from './source.ts';

/** A part of a logical line that comes from one line of the file. */
export interface Piece {
  /** Where it begins in the logical line. */
  readonly at: number;
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** The body of a here-document. */
export interface Heredoc {
  /** The word that ends it, quotes taken away. */
  readonly name: string;
  /** What it says with line ends, as in the file; leading tabs are gone where `<<-` asked for that. */
  readonly content: string;
  /** The same with its tabs. */
  readonly raw: string;
  /** False: its word was quoted, so variables in it mean nothing. */
  readonly expand: boolean;
  /** `<<-`. */
  readonly chomp: boolean;
  /** A number before `<<`; 0 where there is none. */
  readonly descriptor: number;
  /** The first line of the body. */
  readonly line: number;
}

/** One instruction's text: its lines joined, comments between them gone. */
export interface LogicalLine {
  readonly text: string;
  readonly pieces: readonly Piece[];
  readonly firstLine: number;
  /** The last one, here-documents included. */
  readonly lastLine: number;
  /** What the comments directly above say, without `#`. */
  readonly comments: readonly string[];
  /** Blank lines among those that were joined. */
  readonly blankLines: readonly number[];
  readonly heredocs: readonly Heredoc[];
}

/** Where a part of a logical line stands in the file; what crosses a line's end is cut there. */
export function placeIn({pieces, text}: Pick<LogicalLine, 'pieces' | 'text'>, at: number, end = at + 1): Place {
  const index = Math.max(
    0,
    pieces.findLastIndex((piece) => piece.at <= at),
  );
  const piece = pieces[index] ?? {at: 0, line: 1, column: 1};
  const pieceEnd = pieces[index + 1]?.at ?? text.length;
  return {line: piece.line, column: piece.column + at - piece.at, length: Math.max(1, Math.min(end, pieceEnd) - at)};
}
