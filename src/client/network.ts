import type {Calls} from '../api/endpoint.ts';
import type {Endpoints} from '../api/endpoints.ts';
import type {EndpointSettings} from '../api/types/container.ts';
import type {NetworkInspect} from '../api/types/network.ts';
import type {Abortable} from './container.ts';

/** A network of an engine, by id or name. */
export class Network {
  readonly id: string;
  /** What the engine said when it was created, one warning a line; empty otherwise. */
  readonly warning: string;
  readonly #calls: Calls<Endpoints>;

  constructor(id: string, calls: Calls<Endpoints>, warning = '') {
    this.id = id;
    this.warning = warning;
    this.#calls = calls;
  }

  inspect(options: Abortable = {}): Promise<NetworkInspect> {
    return this.#calls.networkInspect({path: this, signal: options.abortSignal});
  }

  /** Connects a container (id or name) to it, at once where that runs. */
  async connect(container: string, settings: EndpointSettings = {}, options: Abortable = {}): Promise<void> {
    const body = {Container: container, EndpointConfig: settings};
    await this.#calls.networkConnect({path: this, body, signal: options.abortSignal});
  }

  async disconnect(container: string, options: Abortable & {readonly force?: boolean} = {}): Promise<void> {
    const body = {Container: container, Force: options.force ?? false};
    await this.#calls.networkDisconnect({path: this, body, signal: options.abortSignal});
  }

  async remove(options: Abortable = {}): Promise<void> {
    await this.#calls.networkDelete({path: this, signal: options.abortSignal});
  }
}
