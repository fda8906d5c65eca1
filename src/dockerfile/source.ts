import type {Diagnostic} from '../base/diagnostic.ts';

/** A Dockerfile as it was read. */
export interface DockerfileSource {
  readonly text: string;
  /** Its path as people know it; it stands in messages. */
  readonly shown: string;
}

/** A place in a Dockerfile. Lines and columns count from 1, columns and lengths in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** Collects what is wrong with a Dockerfile, so that everything is told at once. */
export interface Findings {
  error(place: Place, code: string, message: string, hint?: string): void;
  warning(place: Place, code: string, message: string, hint?: string): void;
  readonly found: readonly Diagnostic[];
}

/** Nobody reads more. */
const mostTold = 200;

export function createFindings(source: DockerfileSource): Findings {
  const lines = source.text.replace(/^\uFEFF/, '').split('\n');
  const found: Diagnostic[] = [];
  const add = (severity: Diagnostic['severity'], place: Place, code: string, message: string, hint?: string): void => {
    if (found.length >= mostTold) return;
    found.push({
      severity,
      code,
      message,
      file: source.shown,
      line: place.line,
      column: place.column,
      length: Math.max(1, place.length),
      excerpt: (lines[place.line - 1] ?? '').replace(/\r$/, ''),
      ...(hint === undefined ? {} : {hint}),
    });
  };
  return {
    error: (place, code, message, hint) => add('error', place, code, message, hint),
    warning: (place, code, message, hint) => add('warning', place, code, message, hint),
    found,
  };
}
