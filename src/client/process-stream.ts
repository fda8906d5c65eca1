import {type Readable, Writable} from 'node:stream';
import type {Connection} from '../api/endpoint.ts';
import {decodeOutput, type OutputChunk, splitOutput} from './demux.ts';

/**
 * A live connection to a process's standard streams, of an attach or an exec. Read either `output`, which keeps the order
 * of both streams, or `stdout` and `stderr`. Ending `stdin` closes the process's standard input only; output goes on.
 */
export class ProcessStream {
  readonly stdin: Writable;
  readonly #connection: Connection;
  #output: AsyncIterable<OutputChunk> | undefined;
  #split: {readonly stdout: Readable; readonly stderr: Readable} | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.stdin = new Writable({
      write: (data: Uint8Array, _encoding, done) => void connection.write(data).then(() => done(), done),
      final: (done) => void connection.closeWrite().then(() => done(), done),
    });
  }

  /** Ends when the process closed its output or ended. May be read once. */
  get output(): AsyncIterable<OutputChunk> {
    if (this.#split !== undefined) throw new TypeError('the output is read through stdout and stderr already');
    this.#output ??= decodeOutput(this.#connection.contentType, this.#connection.readable);
    return this.#output;
  }

  get stdout(): Readable {
    return this.#parts().stdout;
  }

  /** Empty with a terminal, which has one output only. */
  get stderr(): Readable {
    return this.#parts().stderr;
  }

  /** Lets go of the process, which goes on. */
  close(): void {
    this.#connection.destroy();
  }

  #parts(): {readonly stdout: Readable; readonly stderr: Readable} {
    this.#split ??= splitOutput(this.output);
    return this.#split;
  }
}
