import picocolors from 'picocolors';
import {type Diagnostic, renderDiagnostics} from '../base/diagnostic.ts';
import {exitCodes} from '../base/errors.ts';
import type {CliContext} from './context.ts';

export interface PrintProblems {
  readonly json: boolean;
  /** Warnings end the command as errors do. */
  readonly strict?: boolean;
}

/** Problems that are the answer of a command go to standard output. Answers the exit code: warnings alone end otherwise than errors. */
export function printProblems(
  context: Pick<CliContext, 'stdout' | 'color'>,
  problems: readonly Diagnostic[],
  {json, strict = false}: PrintProblems,
): number {
  const {stdout} = context;
  const errors = problems.filter(({severity}) => severity === 'error').length;
  const warnings = problems.length - errors;
  if (json) stdout.write(`${JSON.stringify({errors, warnings, problems}, null, 2)}\n`);
  else if (problems.length === 0) stdout.write('no problems\n');
  else {
    const color = context.color(stdout);
    const {red, yellow} = picocolors.createColors(color);
    const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
    const summary = [
      ...(errors > 0 ? [red(count(errors, 'error'))] : []),
      ...(warnings > 0 ? [yellow(count(warnings, 'warning'))] : []),
    ].join(', ');
    stdout.write(`${renderDiagnostics(problems, {color})}\n\n${summary}\n`);
  }
  if (errors > 0 || (strict && warnings > 0)) return exitCodes.invalidStack;
  return warnings > 0 ? exitCodes.failure : exitCodes.success;
}
