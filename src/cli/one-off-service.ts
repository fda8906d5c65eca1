import {resolve} from 'node:path';
import {type FileSource, machineFiles} from '../base/file-source.ts';
import {splitShellWords} from '../model/attributes/shell-words.ts';
import type {LoadedProject} from '../model/load.ts';
import type {SourceFile} from '../model/source.ts';
import type {Project, Service} from '../model/types.ts';
import type {CliContext} from './context.ts';
import {keyValues} from './engine-resources.ts';
import type {Input} from './flags.ts';
import {loadRequest, warn} from './session.ts';
import {wrongUse} from './wrong-use.ts';

type Flags = Input<'run'>['flags'];

/** The service with what it depends on, and with the ports and mounts that flags ask for. */
export async function loadForRun(
  context: CliContext,
  {service, flags}: {readonly service: string; readonly flags: Flags},
): Promise<LoadedProject> {
  const {loadProject} = await import('../model/load.ts');
  const source = readOnce(machineFiles);
  const selection = {services: [service], dependencies: !flags['no-deps'], requireSources: true};
  const loaded = await loadProject(loadRequest(context, selection), source);
  warn(context, loaded.warnings);
  const overlay = overlayOf(context.cwd, {service, flags});
  // By the rules of stack files, once it is known that there is such a service.
  return overlay === undefined ? loaded : await loadProject(loadRequest(context, {...selection, overlay}), source);
}

/** A stack that is piped in can be read once only. */
function readOnce(source: FileSource): FileSource {
  let piped: ReturnType<FileSource['readStandardInput']> | undefined;
  return {
    ...source,
    readStandardInput() {
      piped ??= source.readStandardInput();
      return piped;
    },
  };
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
    environment,
  }: {
    readonly service: string;
    readonly command: readonly string[];
    readonly flags: Flags;
    readonly tty: boolean;
    /** What flags say of it. */
    readonly environment: Readonly<Record<string, string>>;
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
    environment: {...service.environment, ...environment},
    ...(flags.label.length > 0 && {labels: {...service.labels, ...labelsOf(flags.label)}}),
    ...rightsOf(service, flags),
  };
  return {...project, services: {...project.services, [name]: run}};
}

function wordsOf(line: string): readonly string[] {
  const split = splitShellWords(line);
  if (!split.ok) throw wrongUse(`--entrypoint "${line}": ${split.message}`, split.hint);
  return split.words;
}

function labelsOf(entries: readonly string[]): Readonly<Record<string, string>> {
  const bare = entries.find((entry) => !entry.includes('='));
  if (bare !== undefined) throw wrongUse(`--label "${bare}" has no value`, 'write KEY=VALUE');
  return keyValues(entries);
}

/** What is given is no longer taken away, and the other way round. */
function rightsOf({cap_add, cap_drop}: Service, flags: Flags): Pick<Service, 'cap_add' | 'cap_drop'> {
  const [given, taken] = [flags['cap-add'], flags['cap-drop']];
  if (given.length === 0 && taken.length === 0) return {};
  const without = (rights: readonly string[] = [], others: readonly string[]) =>
    rights.filter((right) => !others.includes(right));
  return {
    cap_add: without([...new Set([...(cap_add ?? []), ...given])], taken),
    cap_drop: [...new Set([...without(cap_drop, given), ...taken])],
  };
}
