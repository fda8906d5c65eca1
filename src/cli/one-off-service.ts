import {resolve} from 'node:path';
import {splitShellWords} from '../model/attributes/shell-words.ts';
import type {SourceFile} from '../model/source.ts';
import type {Project, Service} from '../model/types.ts';
import {withValue} from './commands/exec.ts';
import type {CliContext} from './context.ts';
import {keyValues} from './engine-resources.ts';
import type {Input} from './flags.ts';
import {loadRequest} from './session.ts';
import {reloadedStack} from './watch.ts';
import {wrongUse} from './wrong-use.ts';

type Flags = Input<'run'>['flags'];

/** The service with what it depends on, and with the ports and mounts that flags ask for. */
export async function loadForRun(
  context: CliContext,
  {service, flags}: {readonly service: string; readonly flags: Flags},
): Promise<Project> {
  const selection = {services: [service], dependencies: !flags['no-deps']};
  const stack = reloadedStack(context, selection);
  const project = await stack.load();
  const overlay = overlayOf(context.cwd, {service, flags});
  if (overlay === undefined) return project;
  // By the rules of stack files, once it is known that there is such a service.
  const {loadProject} = await import('../model/load.ts');
  const request = loadRequest(context, {...selection, requireSources: true, overlay});
  return (await loadProject(request, stack.source)).project;
}

/** What flags say in the short forms of stack files, as one more of these. */
function overlayOf(
  directory: string,
  {service, flags}: {readonly service: string; readonly flags: Flags},
): SourceFile | undefined {
  const {volume, publish} = flags;
  if (volume.length === 0 && publish.length === 0) return undefined;
  // A dollar sign is no variable here: the shell has had its turn.
  const lists = (values: readonly string[]) => JSON.stringify(values.map((value) => value.replaceAll('$', '$$$$')));
  const members = [
    ...(volume.length === 0 ? [] : [`"volumes": ${lists(volume.map((mount) => absolute(directory, mount)))}`]),
    ...(publish.length === 0 ? [] : [`"ports": !override ${lists(publish)}`]),
  ];
  const text = `{"services": {${JSON.stringify(service)}: {${members.join(', ')}}}}\n`;
  return {path: '<flags of run>', shown: '<flags of run>', text};
}

/** As a shell means a path: from where the command is given, not from the project. */
function absolute(directory: string, mount: string): string {
  const [, source = '', rest = ''] = /^(\.[^:]*)(:.*)?$/s.exec(mount) ?? [];
  return source === '' ? mount : `${resolve(directory, source)}${rest}`;
}

/** The project, with the service as one command is to run in it. */
export function asRun(
  project: Project,
  {
    service: name,
    command,
    flags,
    tty,
    context,
  }: {
    readonly service: string;
    readonly command: readonly string[];
    readonly flags: Flags;
    readonly tty: boolean;
    readonly context: CliContext;
  },
): Project {
  // It ends when its command has ended, and it is one.
  const {ports = [], restart: _policy, deploy = {}, container_name: _name, ...service} = project.services[name] ?? {};
  const {restart_policy: _swarm, ...deployed} = deploy ?? {};
  const isPublished = flags['service-ports'] || flags.publish.length > 0;
  const run: Service = {
    ...service,
    deploy: deployed,
    tty,
    ...(isPublished && {ports}),
    ...(flags.entrypoint !== undefined && {entrypoint: wordsOf(flags.entrypoint), command: []}),
    ...(command.length > 0 && {command}),
    ...(flags.user !== undefined && {user: flags.user}),
    ...(flags.workdir !== undefined && {working_dir: flags.workdir}),
    ...(flags.env.length > 0 && {
      environment: {...service.environment, ...keyValues(flags.env.flatMap((entry) => withValue(entry, context)))},
    }),
    ...(flags.label.length > 0 && {labels: {...service.labels, ...keyValues(flags.label)}}),
  };
  return {...project, services: {...project.services, [name]: run}};
}

function wordsOf(line: string): readonly string[] {
  const split = splitShellWords(line);
  if (!split.ok) throw wrongUse(`--entrypoint "${line}": ${split.message}`, split.hint);
  return split.words;
}
