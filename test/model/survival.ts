import {expect} from 'vitest';
import {renderDiagnostics} from '../../src/base/diagnostic.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import {loadProject} from '../../src/model/load.ts';
import {lowerService} from '../../src/model/lower.ts';
import {renderProject} from '../../src/model/render.ts';
import type {Project} from '../../src/model/types.ts';
import {filesOf, requestOf} from './config-answer.ts';
import type {ConfigCase} from './config-cases.mjs';
import {memoryFiles} from './memory-files.ts';

/** Refusals that are about a whole file, a flag or a variable of the process, each of which they name. */
const withoutPlace: readonly RegExp[] = [
  /^the stack files? ".*" (?:is|are) empty$/,
  /^no stack file in \S+ or any directory above it$/,
  /^cannot read (?:stack|environment) file ".*": no such file$/,
  /^invalid project name "/,
  /^no such service: "/,
];

/**
 * Loads, and carries what loads through to the end. What does not load is told as a person's mistake: in words, each with
 * its place and the line it stands in.
 */
export async function expectSurvival(stack: ConfigCase): Promise<void> {
  const input = stack.input === undefined ? '' : stack.files[stack.input];
  try {
    const {project} = await loadProject(requestOf(stack), memoryFiles(filesOf(stack), input));
    carryThrough(project);
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    expectPlaces(error);
  }
}

/** What cannot be lowered was to be refused with its place before: here it only has to be told. */
function carryThrough(project: Project): void {
  renderProject(project, 'yaml');
  renderProject(project, 'json');
  for (const service of Object.keys(project.services)) {
    try {
      lowerService({project, service, replica: 1, features: new Set(['files']), version: '0'});
    } catch (error) {
      if (!(error instanceof TscomposeError)) throw error;
    }
  }
}

function expectPlaces(error: TscomposeError): void {
  expect(['invalid', 'unsupported', 'notFound']).toContain(error.kind);
  expect(error.message).not.toMatch(/(?:^|[ "])undefined|\[object/);
  if (withoutPlace.some((pattern) => pattern.test(error.message))) return;
  const problems = error.diagnostics.filter(({severity}) => severity === 'error');
  expect(problems.length, error.message).toBeGreaterThan(0);
  expect(renderDiagnostics(error.diagnostics)).not.toMatch(/\[object/);
  for (const {message, file, line, column = 0, excerpt} of problems) {
    expect({message, file, line}).toEqual({message, file: expect.any(String), line: expect.any(Number)});
    expect(excerpt?.length ?? 0, message).toBeGreaterThanOrEqual(column - 1);
  }
}
