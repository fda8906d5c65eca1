import {hasKind, toTscomposeError} from '../../base/errors.ts';
import type {Hosting} from '../../engine/hosting/hosting.ts';
import {nameInNamespace} from '../../engine/hosting/mirror-names.ts';
import {type AccessOptions, createAccess, type Identity} from './access.ts';
import type {HandlerContext, RegistryHandlers} from './handler.ts';
import {blobHandlers} from './handlers/blobs.ts';
import {listHandlers} from './handlers/lists.ts';
import {manifestHandlers} from './handlers/manifests.ts';
import {uploadHandlers} from './handlers/uploads.ts';
import {jsonResponse, type RegistryRequest, type RegistryResponse} from './message.ts';
import {Refusal} from './refusal.ts';
import {findRoute} from './routes.ts';
import {giveToken} from './tokens.ts';

export interface RegistryOptions extends AccessOptions {
  readonly hosting: Hosting;
  /** Its names, as they stand in references: the first one where a client calls it otherwise. */
  readonly hosts: readonly [string, ...string[]];
  /** Bytes of one blob. */
  readonly blobMax: number;
}

/** A response, and for the log who asked and what else there is to say. */
export interface Answered {
  readonly response: RegistryResponse;
  readonly user: string | undefined;
}

/** A registry by the OCI distribution specification: request in, response out, no sockets. Never rejects. */
export interface Registry {
  handle(request: RegistryRequest): Promise<Answered>;
}

const always = {'docker-distribution-api-version': 'registry/2.0', 'x-content-type-options': 'nosniff'};

export function createRegistry(options: RegistryOptions): Registry {
  const {hosting, hosts, blobMax} = options;
  const access = createAccess(options);
  // Whoever pushes must not choose whose name an image gets on this machine.
  const hostOf = ({headers}: RegistryRequest) => hosts.find((host) => host === headers['host']) ?? hosts[0];
  const context: HandlerContext = {hosting, hostOf, blobMax};
  const handlers: RegistryHandlers = {
    ...listHandlers(context),
    ...manifestHandlers(context),
    ...blobHandlers(context),
    ...uploadHandlers(context),
  };

  /** Mirrors are asked with the registry that is meant beside the name. */
  const nameOf = (name: string, {query}: RegistryRequest): string => {
    const namespace = name === '' ? null : query.get('ns');
    const full = namespace === null ? name : nameInNamespace(name, namespace, hosts);
    if (full === undefined)
      throw new Refusal('NAME_INVALID', 'invalid repository name', {detail: {name, ns: namespace}});
    return full;
  };

  const run = async (request: RegistryRequest, known: (identity: Identity) => void): Promise<RegistryResponse> => {
    const {route, action, parts: asked} = findRoute(request);
    const parts = {...asked, name: nameOf(asked.name, request)};
    if (route === 'token') {
      if (options.tokens === undefined) throw new Refusal('UNSUPPORTED', 'this registry has no tokens', {status: 404});
      return await giveToken(options.tokens, access.identify, request);
    }
    const identity =
      action === 'open' ? {user: undefined, allows: () => false} : await access.check(request, action, parts.name);
    known(identity);
    // Only browsers say where a request comes from: a page must not push to whatever its reader can reach.
    if (['push', 'delete'].includes(action) && request.headers['origin'] !== undefined)
      throw new Refusal('DENIED', 'web pages may not change anything here');
    if (action === 'push' && hosting.isCopy(parts.name))
      throw new Refusal('DENIED', 'this is a copy of another registry');
    return await handlers[route]({request, parts, identity});
  };

  return {
    async handle(request) {
      let user: string | undefined;
      const response = await run(request, (identity) => {
        user = identity.user;
      }).catch(refused);
      return {response: {...response, headers: {...always, ...response.headers}}, user};
    },
  };
}

/** The errors of the protocol in its words; the machine's own are told without what is none of the client's business. */
function refused(error: unknown): RegistryResponse {
  if (error instanceof Refusal) {
    const {code, message, detail, status, headers} = error;
    const body = {errors: [{code, message, ...(detail === undefined ? {} : {detail})}]};
    return jsonResponse(body, headers, status);
  }
  const {message} = toTscomposeError(error);
  if (hasKind(error, 'unavailable')) {
    const told = {code: 'UNAVAILABLE', message: 'the registry that this comes from does not answer'};
    return {...jsonResponse({errors: [told]}, {}, 503), note: message};
  }
  const isFull = hasKind(error, 'exhausted');
  const told = isFull ? 'there is no room for it' : 'the registry could not do it';
  return {...jsonResponse({errors: [{code: 'UNKNOWN', message: told}]}, {}, isFull ? 507 : 500), note: message};
}
