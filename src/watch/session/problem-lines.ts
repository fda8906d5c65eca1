import {renderDiagnostics} from '../../base/diagnostic.ts';
import type {TscomposeError} from '../../base/errors.ts';

/** An error as it is printed: with its places in files, as far as it has some. */
export function problemLines(error: TscomposeError, color: boolean): readonly string[] {
  const text = error.diagnostics.length === 0 ? error.message : renderDiagnostics(error.diagnostics, {color});
  return [...text.split('\n'), ...(error.hint === undefined ? [] : [`hint: ${error.hint}`])];
}
