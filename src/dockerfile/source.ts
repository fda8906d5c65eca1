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
  /** `fix`: what is right in its place. */
  warning(place: Place, code: string, message: string, hint?: string, fix?: string): void;
  readonly found: readonly Diagnostic[];
}

/** Nobody reads more. */
const mostTold = 200;

export function createFindings(source: DockerfileSource): Findings {
  const lines = source.text.replace(/^\uFEFF/, '').split('\n');
  const found: Diagnostic[] = [];
  const add = (
    finding: Pick<Diagnostic, 'severity' | 'code' | 'message'>,
    place: Place,
    hint?: string,
    fix?: string,
  ) => {
    if (found.length >= mostTold) return;
    found.push({
      ...finding,
      file: source.shown,
      line: place.line,
      column: place.column,
      length: Math.max(1, place.length),
      excerpt: (lines[place.line - 1] ?? '').replace(/\r$/, ''),
      ...(hint === undefined ? {} : {hint}),
      ...(fix === undefined ? {} : {fix}),
    });
  };
  return {
    error: (place, code, message, hint) => add({severity: 'error', code, message}, place, hint),
    warning: (place, code, message, hint, fix) => add({severity: 'warning', code, message}, place, hint, fix),
    found,
  };
}
