import {TscomposeError} from '../../base/errors.ts';
import type {Descriptor} from '../image/descriptors.ts';
import type {Connection} from './connection.ts';
import {downloadBlob} from './download.ts';
import {digestOf} from './manifest.ts';

/** Configurations are far below it. */
export const smallBlobMax = 8 * 1024 * 1024;

export interface SmallBlobRequest {
  readonly repository: string;
  readonly descriptor: Descriptor;
  readonly signal: AbortSignal;
}

/** A blob that is kept in memory, its digest checked. Throws `invalid`. */
export async function fetchSmallBlob(connection: Connection, request: SmallBlobRequest): Promise<Buffer> {
  const {descriptor} = request;
  const what = `registry ${connection.endpoint.registry}: blob ${descriptor.digest}`;
  if (descriptor.size > smallBlobMax) {
    throw new TscomposeError('invalid', `${what} has ${descriptor.size} bytes: no configuration has that many`);
  }
  const pieces: Uint8Array[] = [];
  let offset = 0;
  const sink = {
    get offset() {
      return offset;
    },
    async write(chunk: Uint8Array) {
      pieces.push(chunk);
      offset += chunk.length;
    },
    async restart() {
      pieces.splice(0);
      offset = 0;
    },
  };
  await downloadBlob(connection, {...request, sink});
  const bytes = Buffer.concat(pieces);
  if (digestOf(bytes) === descriptor.digest) return bytes;
  throw new TscomposeError('invalid', `${what} is damaged: its content is ${digestOf(bytes)}`);
}
