import {resolve} from 'node:path';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {machineFiles} from '../../base/file-source.ts';
import {diffProjects} from '../../model/diff.ts';
import {diffText} from '../../model/diff-text.ts';
import type {LoadRequest} from '../../model/load.ts';
import {loadProject} from '../../model/load.ts';
import type {Project} from '../../model/types.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {loadRequest, warn} from '../session.ts';

interface Side {
  readonly label: string;
  readonly change: Partial<LoadRequest>;
}

export async function runDiff(context: CliContext, {args, flags}: Input<'diff'>): Promise<number> {
  const [before, after] = sidesOf(context, args, flags.env);
  const differences = diffProjects(await loadSide(context, before), await loadSide(context, after));
  if (flags.format === 'json') {
    context.stdout.write(`${JSON.stringify({before: before.label, after: after.label, differences}, null, 2)}\n`);
  } else {
    const color = context.color(context.stdout);
    context.stdout.write(diffText(differences, {before: before.label, after: after.label, color}));
  }
  return flags['exit-code'] && differences.length > 0 ? exitCodes.planHasChanges : exitCodes.success;
}

/** Two environments, one environment and the stack without any, or two files. */
function sidesOf({cwd}: CliContext, files: readonly string[], stages: readonly string[]): readonly [Side, Side] {
  const [a, b, ...others] = [
    ...stages.map((stage): Side => ({label: stage, change: {stage}})),
    ...files.map((file): Side => ({label: file, change: {files: [resolve(cwd, file)]}})),
  ];
  if (others.length === 0 && a !== undefined && (b !== undefined || stages.length === 1))
    return b === undefined ? [{label: 'no environment', change: {stage: ''}}, a] : [a, b];
  throw new TscomposeError('invalid', 'diff compares two stacks', {
    hint: 'write "diff --env NAME --env NAME" or "diff FILE FILE"',
    exitCode: exitCodes.usage,
  });
}

/** Paths stay as they stand, so that two files in two directories can be compared. */
async function loadSide(context: CliContext, {change}: Side): Promise<Project> {
  const request = {...loadRequest(context, {allProfiles: true}), allResources: true, ...change};
  const {project, warnings} = await loadProject(request, machineFiles);
  warn(context, warnings);
  return project;
}
