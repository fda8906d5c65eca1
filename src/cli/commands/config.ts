import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {defused} from '../../base/printable.ts';
import {didYouMean} from '../../base/suggest.ts';
import type {LoadedProject} from '../../model/load.ts';
import type {Project} from '../../model/types.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {loadWhole} from '../session.ts';

type ConfigFlags = Input<'config'>['flags'];

export async function runConfig(context: CliContext, input: Input<'config'>): Promise<number> {
  const {flags} = input;
  const {stdout} = context;
  const text = await configText(context, input);
  if (flags.quiet) return 0;
  // An explanation has colours of ours, and none of others.
  const isShown = stdout.isTTY === true && flags.explain === undefined;
  if (flags.output === undefined) stdout.write(isShown ? defused(text) : text);
  else {
    await writeFile(resolve(context.cwd, flags.output), text).catch((error: unknown) => {
      throw toTscomposeError(error, `cannot write ${flags.output}`);
    });
  }
  return 0;
}

async function configText(context: CliContext, {args, flags}: Input<'config'>): Promise<string> {
  if (flags.variables) {
    const {variablesText} = await import('./config-variables.ts');
    return variablesText(context, flags.format === 'json');
  }
  if (flags['no-interpolate']) {
    const {uninterpolatedText} = await import('./config-uninterpolated.ts');
    return uninterpolatedText(context, flags);
  }
  const loaded = await loadWhole(context, {
    services: args,
    skip: {
      pathResolution: flags['no-path-resolution'],
      environmentResolution: flags['no-env-resolution'],
      consistency: flags['no-consistency'],
    },
  });
  if (flags.quiet) return '';
  if (flags.explain !== undefined) {
    const {explanationText} = await import('./config-explain.ts');
    return explanationText(loaded, {path: flags.explain, json: flags.format === 'json', context});
  }
  return (await listText(loaded, flags)) ?? digestsText(context, loaded, flags);
}

/** The stack; where digests are asked for, with these, or these alone. */
async function digestsText(context: CliContext, loaded: LoadedProject, flags: ConfigFlags): Promise<string> {
  if (!flags['resolve-image-digests'] && !flags['lock-image-digests']) return projectText(loaded, flags);
  const {projectWithDigests, imagesOnly} = await import('../lock/image-digests.ts');
  const project = await projectWithDigests(context, loaded.project);
  if (flags['lock-image-digests']) return imagesOnly(project.services, flags.format === 'json' ? 'json' : 'yaml');
  return projectText({...loaded, project}, flags);
}

async function listText({project, environment}: LoadedProject, flags: ConfigFlags): Promise<string | undefined> {
  const lists = [
    flags.services && Object.keys(project.services),
    flags.volumes && Object.keys(project.volumes),
    flags.networks && Object.keys(project.networks),
    flags.models && Object.keys(project.models ?? {}),
    flags.images && Object.entries(project.services).map(([name, {image}]) => image ?? `${project.name}-${name}`),
    flags.profiles && [
      ...new Set(
        Object.values({...project.services, ...project.disabledServices}).flatMap(({profiles}) => profiles ?? []),
      ),
    ],
    flags.hash !== undefined && (await hashes(project, flags.hash)),
    flags.environment && variables(environment, project.name),
  ].filter((list) => list !== false);
  if (lists.length === 0) return undefined;
  return lists
    .flatMap((list) => [...list].sort())
    .map((name) => `${name}\n`)
    .join('');
}

async function hashes(project: Project, asked: string): Promise<readonly string[]> {
  const {configHash, specOf} = await import('../../model/spec.ts');
  const names = asked === '*' ? Object.keys(project.services) : asked.split(',');
  return names.map((name) => {
    if (!Object.hasOwn(project.services, name))
      throw new TscomposeError('notFound', `no such service: "${name}"`, {
        hint: didYouMean(name, Object.keys(project.services)),
      });
    return `${name} ${configHash(specOf(project, name))}`;
  });
}

function variables(environment: ReadonlyMap<string, string>, projectName: string): readonly string[] {
  const all = new Map(environment).set('COMPOSE_PROJECT_NAME', projectName);
  return [...all].map(([name, value]) => `${name}=${value}`);
}

async function projectText({project, tree}: LoadedProject, flags: ConfigFlags): Promise<string> {
  const {renderProject} = await import('../../model/render.ts');
  const format = flags.format === 'json' ? 'json' : 'yaml';
  if (!flags['no-normalize'] && !flags['no-env-resolution']) return renderProject(project, format);
  const {withEnvironmentFiles, withoutAdditions} = await import('../../model/denormalize.ts');
  return renderProject(project, format, (printed) => {
    const plain = flags['no-normalize'] ? withoutAdditions(printed, tree) : printed;
    return flags['no-env-resolution'] ? withEnvironmentFiles(plain, tree) : plain;
  });
}
