import type {Calls} from '../api/endpoint.ts';
import {type Endpoints, endpoints} from '../api/endpoints.ts';
import type {ExecInspect, ExecStartBody} from '../api/types/exec.ts';
import {callWithoutUpgrade} from './call.ts';
import type {Abortable} from './container.ts';
import {ProcessStream} from './process-stream.ts';
import type {Transport} from './transport.ts';

/** A process made with `container.exec`, to be started once. */
export class Exec {
  readonly id: string;
  readonly #calls: Calls<Endpoints>;
  readonly #transport: Transport;

  constructor(id: string, calls: Calls<Endpoints>, transport: Transport) {
    this.id = id;
    this.#calls = calls;
    this.#transport = transport;
  }

  /** Runs it and connects to its streams. `Tty` is what it was made with. */
  async start(options: Omit<ExecStartBody, 'Detach'> & Abortable = {}): Promise<ProcessStream> {
    const {abortSignal, ...body} = options;
    const connection = await this.#calls.execStart({path: this, body: {...body, Detach: false}, signal: abortSignal});
    return new ProcessStream(connection);
  }

  /** Runs it without a connection to its streams. */
  async startDetached(options: Omit<ExecStartBody, 'Detach'> & Abortable = {}): Promise<void> {
    const {abortSignal, ...body} = options;
    await callWithoutUpgrade(this.#transport, endpoints.execStart, {
      path: this,
      body: {...body, Detach: true},
      signal: abortSignal,
    });
  }

  /** Size of its terminal: `h` rows, `w` columns. */
  async resize(options: Abortable & {readonly h: number; readonly w: number}): Promise<void> {
    await this.#calls.execResize({path: this, query: {h: options.h, w: options.w}, signal: options.abortSignal});
  }

  /** `ExitCode` is null while it runs, and known once its output has ended. */
  inspect(options: Abortable = {}): Promise<ExecInspect> {
    return this.#calls.execInspect({path: this, signal: options.abortSignal});
  }
}
