import type {Handlers} from '../../api/endpoint.ts';
import type {execEndpoints} from '../../api/endpoints/execs.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Engine} from '../../engine/engine.ts';
import {attachmentConnection} from '../attachment-connection.ts';
import {sizeOf} from './containers.ts';

export function execHandlers({execs}: Engine): Handlers<typeof execEndpoints> {
  return {
    execCreate: ({path, body}) => {
      if ((body.Cmd ?? []).length === 0) throw new TscomposeError('invalid', 'No exec command specified');
      if (body.DetachKeys !== undefined && body.DetachKeys !== '') {
        throw new TscomposeError('unsupported', 'detach keys are not supported');
      }
      return execs.create(path.id, body);
    },
    execStart: async ({path, body}) => {
      const size = body.ConsoleSize;
      const detach = body.Detach ?? false;
      const {tty} = (await execs.inspect(path.id)).ProcessConfig;
      const attachment = await execs.start(path.id, {
        detach,
        tty,
        ...(size === undefined || size === null ? {} : {consoleSize: size}),
      });
      return attachment === undefined ? undefined : attachmentConnection(attachment, tty);
    },
    execResize: ({path, query}) => execs.resize(path.id, sizeOf(query)),
    execInspect: ({path}) => execs.inspect(path.id),
  };
}
