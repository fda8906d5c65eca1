import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {toTscomposeError} from '../../base/errors.ts';
import type {Project} from '../../model/types.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {loadStack} from '../session.ts';

export async function runConfig(context: CliContext, input: Input<'config'>): Promise<number> {
  const {flags} = input;
  const project = await loadStack(context, {services: input.args});
  if (flags.quiet) return 0;
  const text = await render(project, flags);
  if (flags.output === undefined) context.stdout.write(text);
  else {
    await writeFile(resolve(context.cwd, flags.output), text).catch((error: unknown) => {
      throw toTscomposeError(error, `cannot write ${flags.output}`);
    });
  }
  return 0;
}

async function render(project: Project, flags: Input<'config'>['flags']): Promise<string> {
  const lists = [
    flags.services && Object.keys(project.services),
    flags.volumes && Object.keys(project.volumes),
    flags.networks && Object.keys(project.networks),
    flags.images && Object.values(project.services).map(({image}) => image ?? ''),
    flags.profiles && [
      ...new Set(
        Object.values({...project.services, ...project.disabledServices}).flatMap(({profiles}) => profiles ?? []),
      ),
    ],
  ].filter((list) => list !== false);
  if (lists.length > 0) {
    return lists
      .flatMap((list) => [...list].sort())
      .map((name) => `${name}\n`)
      .join('');
  }
  const {renderProject} = await import('../../model/render.ts');
  return renderProject(project, flags.format === 'json' ? 'json' : 'yaml');
}
