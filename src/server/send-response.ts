import type {ServerResponse as Outgoing} from 'node:http';
import {drained} from './drained.ts';
import type {ServerResponse} from './request.ts';

/**
 * Writes a response. Headers of a stream and of a value that comes later go out at once: clients wait for them. A stream
 * that fails breaks the connection off, so that no client takes it for complete.
 */
export async function sendResponse(outgoing: Outgoing, response: ServerResponse): Promise<void> {
  const {status, body} = response;
  // One request a connection: only then is it known that nothing but the first head has to be looked at.
  outgoing.shouldKeepAlive = false;
  outgoing.writeHead(status, {...response.headers, ...lengthOf(response)});
  if ('json' in body) {
    outgoing.end(body.json === undefined ? undefined : JSON.stringify(body.json));
    return;
  }
  outgoing.flushHeaders();
  try {
    if ('later' in body) outgoing.end(JSON.stringify(await body.later));
    else await sendStream(outgoing, body.stream);
  } catch {
    outgoing.destroy();
  }
}

function lengthOf({status, body}: ServerResponse): Readonly<Record<string, string>> {
  if (!('json' in body) || status === 204 || status === 304) return {};
  if (body.json === undefined) return {'content-length': '0'};
  return {'content-type': 'application/json', 'content-length': String(Buffer.byteLength(JSON.stringify(body.json)))};
}

async function sendStream(outgoing: Outgoing, stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const data of stream) {
    if (outgoing.destroyed) return;
    if (!outgoing.write(data)) await drained(outgoing);
  }
  outgoing.end();
}
