import picocolors from 'picocolors';
import {renderDiagnostics} from '../../base/diagnostic.ts';
import {exitCodes} from '../../base/errors.ts';
import {machineFiles} from '../../base/file-source.ts';
import {lintStack} from '../../model/lint.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {loadRequest} from '../session.ts';

/** What is found is the answer and goes to standard output; warnings alone end otherwise than errors. */
export async function runLint(context: CliContext, {flags}: Input<'lint'>): Promise<number> {
  const found = await lintStack(loadRequest(context, {allProfiles: true}), machineFiles, {strict: flags.strict});
  const errors = found.filter(({severity}) => severity === 'error').length;
  const warnings = found.length - errors;
  if (flags.format === 'json') {
    context.stdout.write(`${JSON.stringify({errors, warnings, problems: found}, null, 2)}\n`);
  } else if (found.length === 0) context.stdout.write('no problems\n');
  else {
    const color = context.color(context.stdout);
    const count = (number: number, word: string): string => `${number} ${word}${number === 1 ? '' : 's'}`;
    const summary = [
      ...(errors > 0 ? [picocolors.createColors(color).red(count(errors, 'error'))] : []),
      ...(warnings > 0 ? [picocolors.createColors(color).yellow(count(warnings, 'warning'))] : []),
    ].join(', ');
    context.stdout.write(`${renderDiagnostics(found, {color})}\n\n${summary}\n`);
  }
  if (errors > 0 || (flags.strict && warnings > 0)) return exitCodes.invalidStack;
  return warnings > 0 ? exitCodes.failure : exitCodes.success;
}
