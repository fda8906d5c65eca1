import {hasKind} from '../../base/errors.ts';
import type {Container} from '../../client/container.ts';
import type {Hook} from '../../model/types.ts';

export interface HookResult {
  readonly exitCode: number;
  /** The last lines of both streams. */
  readonly output: readonly string[];
}

const keptLines = 10;
const keptCharacters = 16 * 1024;

/** Runs a command in a running container, as its user or as the hook's. Undefined where the container does not run. */
export async function runHook(
  engine: {getContainer(id: string): Pick<Container, 'exec'>},
  container: string,
  hook: Hook,
  signal: AbortSignal,
): Promise<HookResult | undefined> {
  const {command, user, privileged, working_dir, environment} = hook;
  try {
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
    const decoder = new TextDecoder();
    let text = '';
    for await (const {data} of stream.output)
      text = `${text}${decoder.decode(data, {stream: true})}`.slice(-keptCharacters);
    const {ExitCode} = await exec.inspect({abortSignal: signal});
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return {exitCode: ExitCode ?? 0, output: lines.slice(-keptLines)};
  } catch (error) {
    if (hasKind(error, 'conflict', 'notFound')) return undefined;
    throw error;
  }
}

/** A variable without value is as the container has it: it is not stated. */
function toList(environment: Readonly<Record<string, string | null>>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`]));
}
