import type {Hosting} from '../../engine/hosting/hosting.ts';
import type {Identity} from './access.ts';
import type {RegistryRequest, RegistryResponse} from './message.ts';
import type {PathParts, RouteName} from './routes.ts';

/** What every handler works with. */
export interface HandlerContext {
  readonly hosting: Hosting;
  /** The registry's name for a request, as it stands in references. */
  readonly hostOf: (request: RegistryRequest) => string;
  /** Bytes of one blob. */
  readonly blobMax: number;
}

export interface HandlerInput {
  readonly request: RegistryRequest;
  readonly parts: PathParts;
  readonly identity: Identity;
}

export type Handler = (input: HandlerInput) => Promise<RegistryResponse>;

/** A missing one is a type error. */
export type RegistryHandlers = Readonly<Record<Exclude<RouteName, 'token'>, Handler>>;
