import {defaultDetachKeys, parseDetachKeys} from '../../api/detach-keys.ts';
import {exitCodes, hasKind, TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {type Attachment, joinContainer} from '../join-container.ts';
import {findReplica, type ProjectContainer} from '../project-containers.ts';
import {withStackNames} from '../session.ts';

export function runAttach(context: CliContext, {args, flags}: Input<'attach'>): Promise<number> {
  const [service, ...more] = args;
  if (service === undefined || more.length > 0) {
    throw new TscomposeError('invalid', 'attach needs one service', {
      exitCode: exitCodes.usage,
      hint: 'for example: tscompose attach web',
    });
  }
  const keys = flags['detach-keys'] ?? defaultDetachKeys;
  const detachKeys = parsedKeys(keys);
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const chosen = await findReplica(docker, {project: name, service, index: flags.index, known: knownServices});
    refuseUnlessRunning(chosen);
    const container = docker.getContainer(chosen.id);
    const {Config} = await container.inspect();
    const attachment: Attachment = {
      docker,
      container,
      name: chosen.name,
      tty: Config.Tty === true,
      input: !flags['no-stdin'] && Config.OpenStdin === true,
      endsInput: Config.StdinOnce === true && Config.Tty !== true,
      // A terminal has keys for signals; without one they come from here.
      proxies: flags['sig-proxy'] && Config.Tty !== true,
      keys,
      detachKeys,
    };
    introduce(context, attachment, {wantsInput: !flags['no-stdin']});
    return (await joinContainer(context, attachment)).exitCode;
  });
}

function parsedKeys(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch (error) {
    if (!hasKind(error, 'invalid')) throw error;
    throw new TscomposeError('invalid', error.message, {exitCode: exitCodes.usage, hint: error.hint});
  }
}

function refuseUnlessRunning({name, service, summary: {State}}: ProjectContainer): void {
  if (State === 'running') return;
  throw new TscomposeError('conflict', `cannot attach to ${name}: it is ${State}`, {
    hint:
      State === 'paused'
        ? `let it go on first: tscompose unpause ${service}`
        : `see why with "tscompose logs ${service}", and try again once it runs`,
  });
}

/** A person is told how to get out again, before it is too late: Ctrl-C may end the service. */
function introduce(
  {stdin, stderr}: CliContext,
  {name, tty, input, proxies, keys}: Attachment,
  {wantsInput}: {readonly wantsInput: boolean},
): void {
  if (stdin.isTTY !== true || stderr.isTTY !== true) return;
  const exit =
    tty && input
      ? `${keys.replace(/\bctrl-(.)/g, (_all, key: string) => `Ctrl-${key.toUpperCase()}`).replaceAll(',', ' ')} lets go of it`
      : proxies
        ? 'Ctrl-C is handed to it, three times lets go of it'
        : 'Ctrl-C lets go of it';
  stderr.write(`attached to ${name}: ${exit}\n`);
  if (wantsInput && !input) stderr.write('nothing that is typed reaches it: it has no "stdin_open: true"\n');
}
