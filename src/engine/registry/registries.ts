import {hasKind} from '../../base/errors.ts';
import {type Connection, connect} from './connection.ts';
import type {Credential} from './credential.ts';
import {endpointsOf, type RegistryEndpoint} from './endpoints.ts';
import {createHttp, type Http} from './http.ts';
import type {ProxySettings} from './proxies.ts';
import {readRegistrySettings} from './settings.ts';

export interface RegistryOptions {
  /** Where the settings file (`registries.json`) may be: the first that there is counts. */
  readonly settings: {readonly paths: readonly string[]; readonly isRequired: boolean};
  /** Directories as `/etc/docker/certs.d`. */
  readonly certificateDirectories: readonly string[];
  /** Files of certificates to trust whatever the host: see authorities.ts. */
  readonly authorityFiles: readonly (readonly string[])[];
  readonly proxy: ProxySettings;
  readonly userAgent: string;
  readonly now: () => number;
  /** Of mirrors: clients know only those of the registry itself. */
  readonly credentialOf?: (host: string) => Promise<Credential | undefined>;
  /** A connection that says nothing for so long is given up. */
  readonly stallMs?: number;
}

/** The way to registries, by the settings of this machine. */
export interface Registries {
  readonly http: Http;
  /** Where a registry's content is, mirrors first where something is pulled. `none`: no credentials for mirrors either. */
  connections(
    registry: string,
    use: 'pull' | 'push',
    credential: Credential | 'none' | undefined,
  ): Promise<readonly Connection[]>;
  endpoints(registry: string, use: 'pull' | 'push'): Promise<readonly RegistryEndpoint[]>;
  close(): Promise<void>;
}

const stallMs = 60_000;

export function createRegistries(options: RegistryOptions): Registries {
  const {authorityFiles, proxy, userAgent, now, certificateDirectories} = options;
  const http = createHttp({authorityFiles, proxy, userAgent, stallMs: options.stallMs ?? stallMs});
  let settings: ReturnType<typeof readRegistrySettings> | undefined;
  const endpoints = async (registry: string, use: 'pull' | 'push') => {
    settings ??= readRegistrySettings(options.settings).catch((error: unknown) => {
      // Once the file is put right, the next request reads it.
      settings = undefined;
      throw error;
    });
    return await endpointsOf(registry, use, {settingsOf: await settings, certificateDirectories});
  };
  return {
    http,
    endpoints,
    async connections(registry, use, credential) {
      const found = await endpoints(registry, use);
      const credentialFor = async ({mirrorOf, registry: host}: RegistryEndpoint) => {
        if (credential === 'none') return undefined;
        return mirrorOf === undefined ? credential : await options.credentialOf?.(host);
      };
      return await Promise.all(
        found.map(async (endpoint) => connect({http, endpoint, credential: await credentialFor(endpoint), now})),
      );
    },
    close: () => http.close(),
  };
}

/**
 * Asks one place after the other until one answers: what a mirror does not have, or fails at, the next may give. The error of
 * the last is thrown.
 */
export async function firstThatAnswers<T>(
  connections: readonly Connection[],
  ask: (connection: Connection) => Promise<T>,
): Promise<{readonly connection: Connection; readonly value: T}> {
  const last = connections.at(-1);
  for (const connection of connections) {
    try {
      return {connection, value: await ask(connection)};
    } catch (error) {
      if (connection === last || hasKind(error, 'canceled') || isOwnLack(error) || isAbort(error)) throw error;
    }
  }
  throw new Error('there is no place to ask');
}

/** No room on this machine, which no other place helps against: not a mirror that refuses further requests. */
function isOwnLack(error: unknown): boolean {
  return hasKind(error, 'exhausted') && (error.cause as NodeJS.ErrnoException | undefined)?.code !== undefined;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
