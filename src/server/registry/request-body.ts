import type {IncomingMessage} from 'node:http';
import {TscomposeError} from '../../base/errors.ts';

export interface RequestBodyOptions {
  /** A client that sends nothing for so long is given up; milliseconds. */
  readonly idleMs: number;
  /** Called before anything is read: a client may wait for it. */
  readonly onFirstRead?: () => void;
}

/**
 * The body of a request. Its client is given up only while something of it is awaited: what is done with it may take as long
 * as it likes. Throws `canceled` where the body breaks off.
 */
export async function* requestBody(
  message: IncomingMessage,
  {idleMs, onFirstRead}: RequestBodyOptions,
): AsyncGenerator<Uint8Array> {
  onFirstRead?.();
  const iterator = (message.iterator({destroyOnReturn: false}) as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      message.socket.setTimeout(idleMs);
      const next = await iterator.next();
      message.socket.setTimeout(0);
      if (next.done === true) break;
      yield next.value;
    }
  } catch (error) {
    throw new TscomposeError('canceled', 'the client broke off', {cause: error});
  } finally {
    // Not awaited: it may wait for a client that says nothing more.
    void iterator.return?.()?.catch(() => undefined);
  }
  if (!message.complete) throw new TscomposeError('canceled', 'the client broke off');
}
