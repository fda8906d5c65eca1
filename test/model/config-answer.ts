import {TscomposeError} from '../../src/base/errors.ts';
import {type LoadRequest, loadProject} from '../../src/model/load.ts';
import {renderProject} from '../../src/model/render.ts';
import type {ConfigCase} from './config-cases.mjs';
import {memoryFiles} from './memory-files.ts';

/** Where a case lies, for Compose's recorded answers too. */
const caseDirectory = '/srv/stack';

/** What `config` says: both forms of the resolved project, or why there is none. */
export type ConfigAnswer =
  | {readonly ok: true; readonly json: unknown; readonly yaml: string}
  | {readonly ok: false; readonly error: TscomposeError};

/** Our answer for a case; `change` asks for more than the case itself does. */
export async function answerTo(stack: ConfigCase, change: Partial<LoadRequest> = {}): Promise<ConfigAnswer> {
  const input = stack.input === undefined ? '' : stack.files[stack.input];
  try {
    const {project} = await loadProject({...requestOf(stack), ...change}, memoryFiles(filesOf(stack), input));
    return {ok: true, json: JSON.parse(renderProject(project, 'json')), yaml: renderProject(project, 'yaml')};
  } catch (error) {
    if (error instanceof TscomposeError) return {ok: false, error};
    throw error;
  }
}

export function requestOf({arguments: given, services, environment, directory}: ConfigCase): LoadRequest {
  const flag = (name: string): readonly string[] => given.filter((_, index) => given[index - 1] === name);
  return {
    files: flag('-f'),
    environmentFiles: flag('--env-file'),
    profiles: flag('--profile'),
    projectDirectory: flag('--project-directory')[0],
    projectName: flag('-p')[0],
    allResources: given.includes('--all-resources'),
    services,
    workingDirectory: directory === '.' ? caseDirectory : `${caseDirectory}/${directory}`,
    environment: {HOME: '/home/someone', ...environment},
  };
}

export function filesOf({files}: ConfigCase): Readonly<Record<string, string>> {
  const placed = Object.entries(files).map(([path, text]) => [`${caseDirectory}/${path}`, text]);
  return {...Object.fromEntries(placed), '/dev/null': ''};
}
