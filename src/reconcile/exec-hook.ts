import {canceled} from '../client/abort.ts';
import type {OutputChunk} from '../client/demux.ts';
import type {Hook} from '../model/types.ts';
import type {ContainerCalls} from './engine-client.ts';

export interface HookResult {
  /** Of the exec, as events tell it. */
  readonly id: string;
  readonly exitCode: number;
  /** The last lines of both streams. */
  readonly output: readonly string[];
}

export interface HookOptions {
  readonly signal: AbortSignal;
  /** Told of everything it writes, as it comes. */
  readonly onOutput?: (chunk: OutputChunk) => void;
}

const keptLines = 10;
const keptCharacters = 16 * 1024;

/**
 * Runs a command in a running container, as its user or as the hook's, until it ends. With the signal nobody waits for it
 * any more: it goes on, and `canceled` is thrown. Throws `conflict` where the container does not run.
 */
export async function execHook(
  engine: {getContainer(id: string): Pick<ContainerCalls, 'exec'>},
  container: string,
  hook: Hook,
  {signal, onOutput}: HookOptions,
): Promise<HookResult> {
  const {command, user, privileged, working_dir, environment} = hook;
  const exec = await engine.getContainer(container).exec({
    Cmd: command,
    AttachStdout: true,
    AttachStderr: true,
    ...(user === undefined ? {} : {User: user}),
    ...(privileged === true ? {Privileged: true} : {}),
    ...(working_dir === undefined ? {} : {WorkingDir: working_dir}),
    ...(environment === undefined ? {} : {Env: toList(environment)}),
    abortSignal: signal,
  });
  const stream = await exec.start({abortSignal: signal});
  stream.stdin.end();
  const leave = () => stream.close();
  signal.addEventListener('abort', leave);
  const decoder = new TextDecoder();
  let text = '';
  try {
    if (signal.aborted) leave();
    for await (const chunk of stream.output) {
      onOutput?.(chunk);
      text = `${text}${decoder.decode(chunk.data, {stream: true})}`.slice(-keptCharacters);
    }
  } catch (error) {
    throw signal.aborted ? canceled(error) : error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
  const {ExitCode} = await exec.inspect({abortSignal: signal});
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return {id: exec.id, exitCode: ExitCode ?? 0, output: lines.slice(-keptLines)};
}

/** A name alone takes a variable of the container away, as Compose does it. */
function toList(environment: Readonly<Record<string, string | null>>): readonly string[] {
  return Object.entries(environment).map(([name, value]) => (value === null ? name : `${name}=${value}`));
}
