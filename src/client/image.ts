import type {Calls} from '../api/endpoint.ts';
import type {Endpoints} from '../api/endpoints.ts';
import type {ImageDeleteItem, ImageInspect} from '../api/types/image.ts';
import type {Abortable} from './container.ts';

/** An image of an engine, by reference, id or digest. */
export class Image {
  readonly name: string;
  readonly #calls: Calls<Endpoints>;

  constructor(name: string, calls: Calls<Endpoints>) {
    this.name = name;
    this.#calls = calls;
  }

  inspect(options: Abortable = {}): Promise<ImageInspect> {
    return this.#calls.imageInspect({path: this, signal: options.abortSignal});
  }

  async tag(options: Abortable & {readonly repo: string; readonly tag?: string | undefined}): Promise<void> {
    await this.#calls.imageTag({
      path: this,
      query: {repo: options.repo, tag: options.tag},
      signal: options.abortSignal,
    });
  }

  async remove(
    options: Abortable & {readonly force?: boolean | undefined; readonly noprune?: boolean | undefined} = {},
  ): Promise<readonly ImageDeleteItem[]> {
    return await this.#calls.imageDelete({
      path: this,
      query: {force: options.force, noprune: options.noprune},
      signal: options.abortSignal,
    });
  }
}
