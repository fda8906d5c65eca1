import {renderDiagnostics} from '../../base/diagnostic.ts';
import type {TscomposeError} from '../../base/errors.ts';

/** An error as it is printed: with its places in files, as far as it has some. */
export function problemLines(error: TscomposeError, color: boolean): readonly string[] {
  const text = error.diagnostics.length === 0 ? error.message : renderDiagnostics(error.diagnostics, {color});
  // One that a place in a file has with it is not said twice.
  const hint = error.diagnostics.some((diagnostic) => diagnostic.hint === error.hint) ? undefined : error.hint;
  return [...text.split('\n'), ...(hint === undefined ? [] : [`hint: ${hint}`])];
}
