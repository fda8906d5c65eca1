import type {
  AuthAnswer,
  AuthConfig,
  DistributionInspect,
  ImageProgress,
  ImageSearchResult,
} from '../../api/types/image.ts';
import type {Filters} from '../../api/types/system.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {ImageContext} from '../image/context.ts';
import {parseReference} from '../image/reference.ts';
import type {ContentSession} from '../image/session.ts';
import type {Connection} from './connection.ts';
import {credentialOf} from './credential.ts';
import {registryOfAddress} from './credentials/server-address.ts';
import type {RegistryOptions} from './registries.ts';
import {splitTerm} from './search-term.ts';

/** What the Engine API offers of registries. */
export interface RegistryApi {
  /** `tag` may be a digest; without it all tags come, unless `reference` has one. */
  pull(request: PullOptions, signal?: AbortSignal): AsyncIterable<ImageProgress>;
  push(request: PushOptions, signal?: AbortSignal): AsyncIterable<ImageProgress>;
  search(request: SearchOptions, signal: AbortSignal): Promise<ImageSearchResult[]>;
  /** Checks credentials. Throws `unauthorized`. */
  login(auth: AuthConfig, signal: AbortSignal): Promise<AuthAnswer>;
  inspect(request: InspectOptions, signal: AbortSignal): Promise<DistributionInspect>;
}

export interface PullOptions {
  readonly reference: string;
  readonly allTags?: boolean;
  readonly allPlatforms?: boolean;
  /** As in {@link import('./pull.ts').PullRequest}. */
  readonly beside?: string | undefined;
  readonly platform?: string | undefined;
  readonly auth: AuthConfig;
}

export interface PushOptions {
  readonly repository: string;
  readonly tag?: string | undefined;
  readonly platform?: string | undefined;
  readonly auth: AuthConfig;
}

export interface InspectOptions {
  readonly reference: string;
  /** With the bytes of what the name stands for, and of what that names. */
  readonly manifests: boolean;
  /** With what says something about it. */
  readonly referrers: boolean;
  readonly auth: AuthConfig;
}

export interface SearchOptions {
  /** With a registry's host before it, that one is searched. */
  readonly term: string;
  readonly limit: number;
  readonly filters?: Filters | undefined;
  readonly auth: AuthConfig;
}

export interface RegistryPart extends RegistryApi {
  /** Where a registry's content is, reached with the credentials of whoever runs this engine, or without any. */
  connections(registry: string, as: 'operator' | 'anybody'): Promise<readonly Connection[]>;
  /** The same with those of a request, also for what is pushed. */
  reach(registry: string, use: 'pull' | 'push', auth: AuthConfig): Promise<readonly Connection[]>;
  close(): Promise<void>;
}

export interface RegistryPartOptions {
  readonly images: ImageContext;
  readonly session: () => Promise<ContentSession>;
  readonly registries: RegistryOptions;
}

/** The way to registries. Its code is loaded by the first request that needs it. */
export function createRegistry({images, session, registries: options}: RegistryPartOptions): RegistryPart {
  let opened: Promise<import('./registries.ts').Registries> | undefined;
  const open = () => {
    opened ??= import('./registries.ts').then(({createRegistries}) => createRegistries(options));
    return opened;
  };
  const connectionTo = async (registry: string, use: 'pull' | 'push', auth: AuthConfig) =>
    await (await open()).connections(registry, use, credentialOf(auth));
  return {
    async *pull({auth, ...request}, signal) {
      const {pullImage} = await import('./pull.ts');
      const context = {images, session, registries: await open()};
      yield* pullImage(context, {...request, credential: credentialOf(auth)}, signal);
    },

    async *push({auth, ...request}, signal) {
      const {pushImage} = await import('./push.ts');
      const context = {images, session, registries: await open()};
      yield* pushImage(context, {...request, credential: credentialOf(auth)}, signal);
    },

    async search({term, limit, filters, auth}, signal) {
      const {filterResults, searchRegistry} = await import('./search.ts');
      const {registry, name} = splitTerm(term);
      const [own] = await connectionTo(registry, 'push', auth);
      if (own === undefined) throw new TscomposeError('internal', `registry ${registry} has no address`);
      return filterResults(await searchRegistry(own, {term: name, limit, signal}), filters ?? {});
    },

    async login(auth, signal) {
      const {checkCredential} = await import('./login.ts');
      const credential = credentialOf(auth);
      if (credential === undefined)
        throw new TscomposeError('invalid', 'cannot log in without a user name and password');
      const registries = await open();
      const [endpoint] = await registries.endpoints(registryOfAddress(auth.serveraddress ?? ''), 'push');
      if (endpoint === undefined) throw new TscomposeError('internal', 'the registry has no address');
      const {identityToken} = await checkCredential(registries.http, endpoint, credential, signal);
      return {Status: 'Login Succeeded', IdentityToken: identityToken ?? ''};
    },

    async inspect({reference: text, auth, manifests, referrers}, signal) {
      const [{inspectDistribution}, {firstThatAnswers}] = await Promise.all([
        import('./inspect.ts'),
        import('./registries.ts'),
      ]);
      const {registry, repository, tag, digest} = parseReference(text);
      const reference = digest ?? tag ?? 'latest';
      const {value} = await firstThatAnswers(await connectionTo(registry, 'pull', auth), (connection) =>
        inspectDistribution(connection, {repository, reference, manifests, referrers, signal}),
      );
      return value;
    },

    async connections(registry, as) {
      if (as === 'anybody') return await (await open()).connections(registry, 'pull', 'none');
      return await (await open()).connections(registry, 'pull', await options.credentialOf?.(registry));
    },

    reach: connectionTo,

    async close() {
      await (await opened)?.close();
    },
  };
}
