import type {Calls} from '../api/endpoint.ts';
import type {Endpoints} from '../api/endpoints.ts';
import type {
  AuthConfig,
  DistributionInspect,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageProgress,
} from '../api/types/image.ts';
import type {Abortable} from './container.ts';
import {registryAuth} from './registry-auth.ts';

interface Platformed {
  readonly platform?: string | undefined;
}

/** An image of an engine, by reference, id or digest. */
export class Image {
  readonly name: string;
  readonly #calls: Calls<Endpoints>;

  constructor(name: string, calls: Calls<Endpoints>) {
    this.name = name;
    this.#calls = calls;
  }

  /** `platform` as in all of these: `linux/arm64`, which the image has to be for. */
  inspect(options: Abortable & Platformed = {}): Promise<ImageInspect> {
    return this.#calls.imageInspect({
      path: this,
      query: {platform: options.platform},
      signal: options.abortSignal,
    });
  }

  /** The steps that made it, newest first. */
  async history(options: Abortable & Platformed = {}): Promise<readonly ImageHistoryItem[]> {
    return await this.#calls.imageHistory({
      path: this,
      query: {platform: options.platform},
      signal: options.abortSignal,
    });
  }

  /** An archive that `loadImage` reads, also an OCI layout. */
  async get(options: Abortable & Platformed = {}): Promise<AsyncIterable<Uint8Array>> {
    const {bytes} = await this.#calls.imageSaveOne({
      path: this,
      query: {platform: options.platform},
      signal: options.abortSignal,
    });
    return bytes;
  }

  async tag(options: Abortable & {readonly repo: string; readonly tag?: string | undefined}): Promise<void> {
    await this.#calls.imageTag({
      path: this,
      query: {repo: options.repo, tag: options.tag},
      signal: options.abortSignal,
    });
  }

  /**
   * Pushes a tag, or all of the repository's where none is given. The work is done while the answered lines are read; a
   * failure is thrown from them. Engines want some credentials, if only empty ones.
   */
  push(
    options: Abortable & {
      readonly tag?: string | undefined;
      readonly platform?: string | undefined;
      readonly authconfig?: AuthConfig | undefined;
    } = {},
  ): Promise<AsyncIterable<ImageProgress>> {
    return this.#calls.imagePush({
      path: this,
      query: {tag: options.tag, platform: options.platform},
      headers: registryAuth(options.authconfig ?? {}),
      signal: options.abortSignal,
    });
  }

  /** What its registry has under this name. `manifests` and `referrers`: feature `platforms`. */
  distribution(
    options: Abortable & {
      readonly authconfig?: AuthConfig | undefined;
      readonly manifests?: boolean | undefined;
      readonly referrers?: boolean | undefined;
    } = {},
  ): Promise<DistributionInspect> {
    const {manifests, referrers} = options;
    return this.#calls.distributionInspect({
      path: this,
      query: {manifests, referrers},
      headers: registryAuth(options.authconfig),
      signal: options.abortSignal,
    });
  }

  async remove(
    options: Abortable & {
      readonly force?: boolean | undefined;
      readonly noprune?: boolean | undefined;
      /** Of several platforms only these: `linux/arm64`. */
      readonly platforms?: readonly string[] | undefined;
    } = {},
  ): Promise<readonly ImageDeleteItem[]> {
    return await this.#calls.imageDelete({
      path: this,
      query: {force: options.force, noprune: options.noprune, platforms: options.platforms},
      signal: options.abortSignal,
    });
  }
}
