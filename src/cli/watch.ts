import {hasKind} from '../base/errors.ts';
import {type FileSource, machineFiles} from '../base/file-source.ts';
import type {Docker} from '../client/docker.ts';
import type {LoadRequest} from '../model/load.ts';
import type {Project} from '../model/types.ts';
import {type UpOptions, unforced} from '../plan/input.ts';
import type {Report} from '../report/event.ts';
import type {WatchSession} from '../watch/session/session.ts';
import type {StackSource} from '../watch/session/stack-change.ts';
import type {CliContext} from './context.ts';
import {converging} from './converging.ts';
import {type HonouredLock, honourLock, type LockFlags, lockWords} from './lock/honour-lock.ts';
import {askOnTerminal} from './question.ts';
import {retyped} from './retyped.ts';
import {loadRequest, scaled, warn} from './session.ts';

/** A stack that is loaded again and again while it is watched. */
export interface ReloadedStack {
  /** With `--locked` as the lock file has it, which is read anew, too. */
  load(): Promise<Project>;
  /** What the lock said when the stack was loaded last without problems. */
  locked(): Pick<HonouredLock, 'extras' | 'unpulled'>;
  /** What a person types to bring it up: `up -d`, and how it is locked. */
  readonly upWords: readonly string[];
  /** Absolute paths of all files that were read or looked for. */
  inputs(): readonly string[];
  /** What is read or looked for by it is one of the inputs from then on. */
  readonly source: FileSource;
}

export interface StackSelection extends Pick<LoadRequest, 'services' | 'dependencies'> {
  readonly scale?: readonly string[];
  readonly lock?: LockFlags;
}

/** The stack as the command line names it; notes which files it is made from. */
export function reloadedStack(
  context: CliContext,
  {scale = [], lock = {locked: false}, ...selection}: StackSelection,
): ReloadedStack {
  const seen = new Set<string>();
  let honoured: Pick<HonouredLock, 'extras' | 'unpulled'> = {extras: {}};
  const source = recordFiles(seen);
  return {
    async load() {
      const {loadProject} = await import('../model/load.ts');
      const {project, warnings} = await loadProject(loadRequest(context, {...selection, requireSources: true}), source);
      warn(context, warnings);
      const {project: found, ...rest} = await honourLock(context, scaled(project, scale), lock, source);
      honoured = rest;
      return found;
    },
    locked: () => honoured,
    upWords: ['up', '-d', ...lockWords(lock)],
    inputs: () => [...seen],
    source,
  };
}

/** What its lock says of bringing it up. */
export function unpulledBy(stack: ReloadedStack): Pick<UpOptions, 'unpulled'> {
  const {unpulled} = stack.locked();
  return unpulled === undefined ? {} : {unpulled};
}

/** Standard input is read once: a stack that came from it does not change. */
function recordFiles(seen: Set<string>): FileSource {
  let standardInput: Promise<Uint8Array> | undefined;
  return {
    readBytes(path, most) {
      seen.add(path);
      return machineFiles.readBytes(path, most);
    },
    isFile(path) {
      seen.add(path);
      return machineFiles.isFile(path);
    },
    readStandardInput() {
      standardInput ??= Promise.resolve(machineFiles.readStandardInput());
      return standardInput;
    },
  };
}

export interface WatchCommand {
  readonly docker: Docker;
  readonly project: Project;
  /** Empty: all that have rules. */
  readonly services: readonly string[];
  readonly stack: ReloadedStack;
  readonly upOptions: UpOptions;
  /** Images that lose their names to ones that watching builds are removed. */
  readonly prune?: boolean;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Begins to watch, before the stack comes up: what is created gets its files at once. */
export async function beginWatch(context: CliContext, command: WatchCommand): Promise<WatchSession> {
  const {docker, project, services, stack, upOptions, prune = false, report, signal} = command;
  const [{startWatch}, {watchFiles}, {openHostTree}, {fileSync}] = await Promise.all([
    import('../watch/session/session.ts'),
    import('../watch/files/watch-files.ts'),
    import('../watch/files/host-tree.ts'),
    import('../watch/session/file-sync.ts'),
  ]);
  const features = await docker.features();
  const ask = askFor(context);
  const stackSource: StackSource = {
    ...stack,
    upOptions: () => ({...unforced(upOptions), ...unpulledBy(stack)}),
    features,
    version: context.version,
    upCommand: retyped(context.global, [...stack.upWords, ...services]),
    color: context.color(context.stderr),
    ...(ask === undefined ? {} : {ask}),
  };
  return startWatch({
    engine: docker,
    sync: fileSync(docker, features),
    files: {watch: watchFiles, openTree: (root) => openHostTree(root, context.now)},
    source: stack.source,
    project,
    services,
    rebuild: {lowering: stackSource, prune, color: stackSource.color},
    stack: stackSource,
    converge: {
      ...converging(context, docker, () => stack.locked().extras),
      report,
      signal,
      ask: async ({question}) => (await ask?.(question, signal)) ?? false,
    },
  });
}

/** Absent where no person is at a terminal, or a program reads what is told. */
function askFor(context: CliContext): StackSource['ask'] {
  const {stdin, stderr, global} = context;
  if (stdin.isTTY !== true || stderr.isTTY !== true || global.progress === 'json') return undefined;
  return async (question, signal) => {
    try {
      return await askOnTerminal(context, question, {signal, amidOutput: true});
    } catch (error) {
      // Ctrl-C at the question: the terminal gave it to the question, and it is meant for the command.
      if (hasKind(error, 'canceled') && !signal.aborted) process.kill(process.pid, 'SIGINT');
      return false;
    }
  };
}
