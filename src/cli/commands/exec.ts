import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {Exec} from '../../client/exec.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {joinProcess} from '../join-process.ts';
import {findReplica} from '../project-containers.ts';
import {withStackNames} from '../session.ts';

export function runExec(context: CliContext, input: Input<'exec'>): Promise<number> {
  const {flags} = input;
  const [service, ...command] = input.args;
  if (service === undefined || command.length === 0) {
    throw new TscomposeError('invalid', 'exec needs a service and a command', {
      exitCode: exitCodes.usage,
      hint: 'for example: tscompose exec web sh',
    });
  }
  if (flags.tty && flags['no-tty']) {
    throw new TscomposeError('invalid', '--tty and --no-tty cannot be given together', {exitCode: exitCodes.usage});
  }
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const {id} = await findReplica(docker, {project: name, service, index: flags.index, known: knownServices});
    const tty = !flags['no-tty'] && !flags.detach && context.stdin.isTTY === true && context.stdout.isTTY === true;
    const size = [context.stdout.rows ?? 24, context.stdout.columns ?? 80] as const;
    const exec = await docker.getContainer(id).exec({
      Cmd: command,
      Tty: tty,
      AttachStdin: !flags.detach,
      AttachStdout: !flags.detach,
      AttachStderr: !flags.detach,
      Env: [
        ...(tty ? [`TERM=${context.env['TERM'] ?? 'xterm'}`] : []),
        ...flags.env.flatMap((entry) => withValue(entry, context)),
      ],
      Privileged: flags.privileged,
      ...(flags.user !== undefined && {User: flags.user}),
      ...(flags.workdir !== undefined && {WorkingDir: flags.workdir}),
      ...(tty && {ConsoleSize: size}),
    });
    if (flags.detach) {
      await exec.startDetached();
      return 0;
    }
    return attachExec(context, exec, tty, size);
  });
}

/** `KEY` alone hands over the value that the caller's own environment has, if it has one. */
function withValue(entry: string, context: CliContext): readonly string[] {
  if (entry.includes('=')) return [entry];
  const value = context.env[entry];
  return value === undefined ? [] : [`${entry}=${value}`];
}

/** Its streams are those of this process, until it ends. Answers its exit code. */
export async function attachExec(
  context: CliContext,
  exec: Exec,
  tty: boolean,
  size: readonly [number, number],
): Promise<number> {
  const stream = await exec.start({Tty: tty, ...(tty && {ConsoleSize: size})});
  await joinProcess(context, {
    stream,
    input: true,
    endsInput: !tty,
    ...(tty && {resize: (newSize) => exec.resize(newSize)}),
  });
  return (await exec.inspect()).ExitCode ?? 0;
}
