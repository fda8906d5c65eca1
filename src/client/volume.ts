import type {Calls} from '../api/endpoint.ts';
import type {Endpoints} from '../api/endpoints.ts';
import type {VolumeInspect} from '../api/types/volume.ts';
import type {Abortable} from './container.ts';

/** A volume of an engine, by name. */
export class Volume {
  readonly name: string;
  readonly #calls: Calls<Endpoints>;

  constructor(name: string, calls: Calls<Endpoints>) {
    this.name = name;
    this.#calls = calls;
  }

  inspect(options: Abortable = {}): Promise<VolumeInspect> {
    return this.#calls.volumeInspect({path: this, signal: options.abortSignal});
  }

  async remove(options: Abortable & {readonly force?: boolean | undefined} = {}): Promise<void> {
    await this.#calls.volumeDelete({path: this, query: {force: options.force}, signal: options.abortSignal});
  }
}
