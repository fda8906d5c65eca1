import {type Diagnostic, renderDiagnostics} from '../base/diagnostic.ts';
import {hasKind, TscomposeError} from '../base/errors.ts';
import {machineFiles} from '../base/file-source.ts';
import {didYouMean} from '../base/suggest.ts';
import type {Docker} from '../client/docker.ts';
import type {LoadedProject, LoadRequest} from '../model/load.ts';
import type {Project} from '../model/types.ts';
import type {CliContext} from './context.ts';

/** A project by its stack file, or, where only `-p` is given, by its name. */
export interface ProjectSession {
  readonly name: string;
  readonly project: Project | undefined;
  readonly docker: Docker;
}

export interface NamesSession extends Omit<ProjectSession, 'project'> {
  /** Names of the services of the stack file, also those that are switched off. */
  readonly knownServices: readonly string[];
}

type Selection = Pick<
  LoadRequest,
  'services' | 'dependencies' | 'allResources' | 'requireSources' | 'overlay' | 'skip'
> & {
  /** Also those of switched-off profiles: for commands on what exists. */
  readonly allProfiles?: boolean;
};

/** What the loader is asked for, by the flags that stand before the command. */
export function loadRequest({global, cwd, env}: CliContext, selection: Selection = {}): LoadRequest {
  const {allProfiles, ...request} = selection;
  return {
    ...request,
    allResources: request.allResources === true || global['all-resources'],
    files: global.file,
    environmentFiles: global['env-file'],
    projectDirectory: global['project-directory'],
    projectName: global['project-name'],
    stage: global.env,
    maxFileSize: global['max-file-size'],
    profiles: allProfiles === true ? ['*'] : global.profile,
    workingDirectory: cwd,
    environment: env,
  };
}

/** Loads the stack file; its warnings go to standard error. Throws with all of its problems at once. */
export async function loadStack(context: CliContext, selection: Selection = {}): Promise<Project> {
  return (await loadWhole(context, selection)).project;
}

/** As `loadStack`, with everything that is known besides the project. */
export async function loadWhole(context: CliContext, selection: Selection = {}): Promise<LoadedProject> {
  const {loadProject} = await import('../model/load.ts');
  const loaded = await loadProject(loadRequest(context, selection), machineFiles);
  warn(context, selection === existing ? withoutIdle(loaded.warnings) : loaded.warnings);
  return loaded;
}

/** What does nothing in the file is told by commands that do what the file says, not with each look at what exists. */
function withoutIdle(warnings: readonly Diagnostic[]): readonly Diagnostic[] {
  return warnings.filter(({code}) => code !== 'obsolete' && code !== 'no-effect');
}

/** Warnings go to standard error, unless nothing or only JSON is wanted there. */
export function warn(context: CliContext, warnings: readonly Diagnostic[]): void {
  const {progress} = context.global;
  if (warnings.length === 0 || progress === 'quiet' || progress === 'json') return;
  context.stderr.write(`${renderDiagnostics(warnings, {color: context.color(context.stderr)})}\n`);
}

/** For warnings that come one by one: each is told once. */
export function warnOnce(context: CliContext): (warning: Diagnostic) => void {
  const told = new Set<string>();
  return (warning) => {
    if (told.has(warning.message)) return;
    told.add(warning.message);
    warn(context, [warning]);
  };
}

/** Opens the engine for a command, and closes it whatever happens. */
export async function withEngine<T>(context: CliContext, work: (docker: Docker) => Promise<T>): Promise<T> {
  const {openEngineBackend} = await import('./open-engine.ts');
  const backend = await openEngineBackend(context);
  try {
    return await work(backend.docker);
  } finally {
    await backend.close();
  }
}

/** For commands on what exists: the stack file names the project; with `-p` there need be none. */
export async function withProject<T>(context: CliContext, work: (session: ProjectSession) => Promise<T>): Promise<T> {
  const project = await unlessNamed(context, () => loadStack(context, existing));
  const name = project?.name ?? context.global['project-name'] ?? '';
  return withEngine(context, (docker) => work({name, project, docker}));
}

/** The same for commands that need names only: a stack that has not changed is not read again. */
export async function withStackNames<T>(context: CliContext, work: (session: NamesSession) => Promise<T>): Promise<T> {
  const outline = await unlessNamed(context, async () => {
    const {loadOutline} = await import('./outline/load-outline.ts');
    const loaded = await loadOutline(context, loadRequest(context, existing));
    warn(context, withoutIdle(loaded.warnings));
    return loaded.outline;
  });
  const name = outline?.name ?? context.global['project-name'] ?? '';
  const knownServices = outline?.services.map((service) => service.name) ?? [];
  return withEngine(context, (docker) => work({name, docker, knownServices}));
}

/** What commands on what exists are about: all services. */
export const existing: Selection = {allProfiles: true, allResources: true};

/** Undefined where there is no stack file, and `-p` names the project. */
async function unlessNamed<T>(context: CliContext, load: () => Promise<T>): Promise<T | undefined> {
  const {global, env} = context;
  try {
    return await load();
  } catch (error) {
    const named =
      global['project-name'] !== undefined && global.file.length === 0 && (env['COMPOSE_FILE'] ?? '') === '';
    if (named && hasKind(error, 'notFound')) return undefined;
    throw error;
  }
}

/** `SERVICE=N` of `--scale`, put into the project. */
export function scaled(project: Project, scale: readonly string[]): Project {
  const services = {...project.services};
  for (const entry of scale) {
    const [, name = '', count = ''] = /^([^=]+)=(\d+)$/.exec(entry) ?? [];
    const service = services[name];
    if (count === '') {
      throw new TscomposeError('invalid', `--scale "${entry}": SERVICE=N is expected`, {exitCode: 64});
    }
    if (service === undefined)
      throw new TscomposeError('notFound', `--scale "${entry}": no such service: "${name}"`, {
        hint: didYouMean(name, Object.keys(services)),
      });
    if (service.container_name !== undefined && Number(count) > 1) {
      throw new TscomposeError(
        'invalid',
        `--scale "${entry}": service "${name}" has a container_name, so there can be one only`,
      );
    }
    services[name] = {...service, scale: Number(count)};
  }
  return {...project, services};
}
