import {describe, expect, it} from 'vitest';
import {canonicalJson} from '../../src/base/canonical-json.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import {type LoadedProject, loadProject} from '../../src/model/load.ts';
import {renderProject} from '../../src/model/render.ts';
import {specOf} from '../../src/model/spec.ts';
import {filesOf, requestOf} from './config-answer.ts';
import {type ConfigCase, readConfigCases} from './config-cases.mjs';
import {memoryFiles} from './memory-files.ts';

async function loaded(stack: ConfigCase): Promise<LoadedProject | undefined> {
  const input = stack.input === undefined ? '' : stack.files[stack.input];
  try {
    return await loadProject(requestOf(stack), memoryFiles(filesOf(stack), input));
  } catch (error) {
    if (error instanceof TscomposeError) return undefined;
    throw error;
  }
}

/** In another directory, without the variables and files that the stack was read with. */
function readAgain(text: string, {arguments: given}: ConfigCase): Promise<LoadedProject> {
  const request = {
    files: ['printed.yaml'],
    profiles: ['*'],
    allResources: given.includes('--all-resources'),
    workingDirectory: '/elsewhere',
    environment: {},
  };
  return loadProject(request, memoryFiles({'/elsewhere/printed.yaml': text}));
}

/** What containers are made from; contents of files are not there any more. */
function specsOf({project}: LoadedProject): string {
  const specs = Object.keys(project.services).map((service) => [service, specOf(project, service)] as const);
  return canonicalJson(Object.fromEntries(specs)).replaceAll(/"digest":"[^"]*",?/g, '');
}

/** Addresses of one host are printed in order, and were not given so. */
const otherOrder: ReadonlySet<string> = new Set(['hosts-and-dns']);

describe('what config prints', async () => {
  const accepted: (readonly [string, ConfigCase, LoadedProject])[] = [];
  for (const stack of readConfigCases()) {
    const first = await loaded(stack);
    if (first !== undefined) accepted.push([stack.name, stack, first]);
  }

  it('was asked of most cases', () => {
    expect(accepted.length).toBeGreaterThan(300);
  });

  it.each(accepted)('%s is printed the same when it is read again', async (name, stack, first) => {
    const yaml = renderProject(first.project, 'yaml');
    const again = await readAgain(yaml, stack);
    expect(renderProject(again.project, 'yaml')).toBe(yaml);
    if (!otherOrder.has(name)) expect(specsOf(again)).toBe(specsOf(first));
    const json = renderProject(first.project, 'json');
    expect(renderProject((await readAgain(json, stack)).project, 'json')).toBe(json);
  });
});
