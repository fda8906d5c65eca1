import type {LogLevel} from './types.ts';

export type LogTest = (line: {readonly text: string; readonly level: LogLevel}) => boolean;

export interface Matcher {
  readonly test: LogTest;
  /** Where the text matches, for marking; empty for what has no place (`!word`, `level:`). */
  places(text: string): readonly {readonly start: number; readonly end: number}[];
}

const severity: Readonly<Record<LogLevel, number>> = {error: 4, warning: 3, info: 2, debug: 1, none: 0};
const levelWords: Readonly<Record<string, LogLevel>> = {
  error: 'error',
  warning: 'warning',
  warn: 'warning',
  info: 'info',
  debug: 'debug',
};

/**
 * What a person types to search or filter: a text (capitals count where there is one), `/expression/`, `level:warn`
 * (that or worse), each with `!` before it for its opposite. Undefined for an empty one.
 */
export function readMatcher(typed: string): Matcher | undefined {
  if (typed === '' || typed === '!') return undefined;
  if (typed.startsWith('!')) {
    const inner = readMatcher(typed.slice(1));
    return inner === undefined ? undefined : {test: (line) => !inner.test(line), places: () => []};
  }
  const level = /^level:(\w+)$/i.exec(typed)?.[1];
  const least = level === undefined ? undefined : levelWords[level.toLowerCase()];
  if (least !== undefined) return {test: (line) => severity[line.level] >= severity[least], places: () => []};
  const expression = expressionOf(typed) ?? new RegExp(escaped(typed), flagsFor(typed).replace('u', ''));
  return {
    test: ({text}) => {
      expression.lastIndex = 0;
      return expression.test(text);
    },
    places: (text) => placesOf(expression, text),
  };
}

function placesOf(expression: RegExp, text: string): readonly {readonly start: number; readonly end: number}[] {
  const places: {start: number; end: number}[] = [];
  // Where the last test ended, a search for all would begin.
  expression.lastIndex = 0;
  for (const match of text.matchAll(expression)) {
    if (match[0] !== '') places.push({start: match.index, end: match.index + match[0].length});
  }
  return places;
}

/** An expression that is not valid (yet: it may still be typed) is searched for as text. */
function expressionOf(typed: string): RegExp | undefined {
  const source = /^\/(.+)\/$/s.exec(typed)?.[1];
  if (source === undefined) return undefined;
  try {
    return new RegExp(source, flagsFor(source));
  } catch {
    return undefined;
  }
}

function flagsFor(typed: string): string {
  return typed === typed.toLowerCase() ? 'giu' : 'gu';
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
