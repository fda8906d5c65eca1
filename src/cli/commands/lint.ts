import {machineFiles} from '../../base/file-source.ts';
import {lintStack} from '../../model/lint.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {printProblems} from '../print-problems.ts';
import {loadRequest} from '../session.ts';

export async function runLint(context: CliContext, {flags}: Input<'lint'>): Promise<number> {
  const {strict} = flags;
  const found = await lintStack(loadRequest(context, {allProfiles: true}), machineFiles, {strict});
  return printProblems(context, found, {json: flags.format === 'json', strict});
}
