import type {BuildBody, BuildEvent} from '../../api/types/build.ts';
import {renderDiagnostic} from '../../base/diagnostic.ts';
import {hasKind} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {CliContext} from '../context.ts';
import {joinProcess} from '../join-process.ts';
import {retyped} from '../retyped.ts';

export type Held = Extract<BuildEvent, {readonly kind: 'held'}>;

/** Somebody is there to type. */
export function hasTerminal({stdin, stdout}: Pick<CliContext, 'stdin' | 'stdout'>): boolean {
  return stdin.isTTY === true && stdout.isTTY === true;
}

/** What `--debug` asks the engine for. Nothing where nobody would ever let go of a step: in a job that has no terminal. */
export function debugRequest(context: CliContext): Pick<BuildBody, 'debug'> {
  const {env, stderr} = context;
  if (hasTerminal(context)) return {debug: {term: env['TERM'] ?? 'xterm'}};
  if (!env['CI']) return {debug: {term: 'xterm'}};
  stderr.write('note: --debug holds no step where CI is set and there is no terminal\n');
  return {};
}

/** Opens the shell of a step that failed, and returns once it has ended; without a terminal, says how to open it. */
export async function enterHeld(context: CliContext, docker: Docker, {failure, shell, before}: Held): Promise<void> {
  const {stderr} = context;
  stderr.write(`${renderDiagnostic(failure, {color: context.color(stderr)})}\n`);
  if (shell === undefined) {
    stderr.write('note: no shell can be started in the files of this step\n');
    stderr.write('hint: write them to a directory: build the stage up to here with --target and --output\n');
  } else if (hasTerminal(context)) {
    const files = before ? 'what was there before the step' : 'what the step left';
    stderr.write(`${shell.command} in ${files}; "exit" ends it, and the build\n`);
    await enterShell(context, docker, shell.container);
  } else {
    const command = retyped(context.global, ['engine', 'debug', shell.container]);
    stderr.write(`the step is held until its shell or this command ends; open the shell in a terminal: ${command}\n`);
  }
}

/** Connects this terminal to the shell of a held step until the shell ends. */
export async function enterShell(context: CliContext, docker: Docker, name: string): Promise<void> {
  const container = docker.getContainer(name);
  const stream = await container.attach({stdin: true});
  const resize = (size: {readonly h: number; readonly w: number}) =>
    container.resize(size).catch((error: unknown) => {
      // It ended meanwhile.
      if (!hasKind(error, 'conflict', 'notFound')) throw error;
    });
  try {
    await resize({h: context.stdout.rows, w: context.stdout.columns});
    // Its first prompt was written before anybody looked.
    stream.stdin.write('\r');
    await joinProcess(context, {stream, input: true, endsInput: false, resize});
  } finally {
    stream.close();
  }
}
