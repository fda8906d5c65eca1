import {hasKind, TscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {attachExec} from '../commands/exec.ts';
import type {CliContext} from '../context.ts';

/** The better one first. */
const shells = ['bash', 'sh'] as const;

/** A shell in the container, on this terminal. Answers its exit code; throws `notFound` where the image has none. */
export async function runShell(context: CliContext, docker: Docker, id: string, name: string): Promise<number> {
  const shell = await findShell(docker, id);
  if (shell === undefined) {
    throw new TscomposeError('notFound', `container "${name}" has no shell`, {
      hint: 'run one of its programs with "tscompose exec"',
    });
  }
  const size = [context.stdout.rows ?? 24, context.stdout.columns ?? 80] as const;
  const exec = await docker.getContainer(id).exec({
    Cmd: [shell],
    Tty: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Env: [`TERM=${context.env['TERM'] ?? 'xterm'}`],
    ConsoleSize: size,
  });
  context.stdout.write(`${shell} in ${name}: "exit" leads back\n`);
  return attachExec(context, exec, true, size);
}

async function findShell(docker: Docker, id: string): Promise<string | undefined> {
  for (const shell of shells) if (await runs(docker, id, shell)) return shell;
  return undefined;
}

async function runs(docker: Docker, id: string, shell: string): Promise<boolean> {
  try {
    const exec = await docker
      .getContainer(id)
      .exec({Cmd: [shell, '-c', 'exit 0'], AttachStdout: true, AttachStderr: true});
    const stream = await exec.start({});
    for await (const _ of stream.output);
    return (await exec.inspect()).ExitCode === 0;
  } catch (error) {
    // An engine says it at once where there is no such program.
    if (hasKind(error, 'invalid', 'notFound') || (error instanceof TscomposeError && error.exitCode >= 125))
      return false;
    throw error;
  }
}
