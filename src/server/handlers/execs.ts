import type {Handlers} from '../../api/endpoint.ts';
import type {execEndpoints} from '../../api/endpoints/execs.ts';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {Engine, OutputChunk} from '../../engine/engine.ts';
import {attachmentConnection, outputConnection} from '../attachment-connection.ts';
import {detachKeysOf, sizeOf} from './containers.ts';

const cannotExecute: readonly number[] = [exitCodes.notExecutable, exitCodes.commandNotFound];

export function execHandlers({execs}: Engine): Handlers<typeof execEndpoints> {
  return {
    execCreate: ({path, body}) => {
      if ((body.Cmd ?? []).length === 0) throw new TscomposeError('invalid', 'No exec command specified');
      detachKeysOf(body.DetachKeys, 'escape');
      return execs.create(path.id, body);
    },
    execStart: async ({path, body}) => {
      const size = body.ConsoleSize;
      const detach = body.Detach ?? false;
      const {DetachKeys, ProcessConfig} = await execs.inspect(path.id);
      const options = {
        detach,
        detachKeys: detachKeysOf(DetachKeys, 'escape'),
        ...(size === undefined || size === null ? {} : {consoleSize: size}),
      };
      // What the client expects, whatever the process has.
      const tty = body.Tty ?? ProcessConfig.tty;
      try {
        const attachment = await execs.start(path.id, options);
        return attachment === undefined ? undefined : attachmentConnection(attachment, tty);
      } catch (error) {
        // A command that cannot be executed is told in its stream, and by its exit code: clients look for it there.
        if (detach || !(error instanceof TscomposeError) || !cannotExecute.includes(error.exitCode)) throw error;
        return outputConnection(told(error.message), tty, () => {});
      }
    },
    execResize: ({path, query}) => execs.resize(path.id, sizeOf(query)),
    execInspect: ({path}) => execs.inspect(path.id),
  };
}

async function* told(message: string): AsyncGenerator<OutputChunk> {
  yield {stream: 'stderr', data: Buffer.from(`${message}\r\n`)};
}
