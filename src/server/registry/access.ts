import {TscomposeError} from '../../base/errors.ts';
import type {RegistryRequest} from './message.ts';
import type {PasswordFile} from './password-file.ts';
import {Refusal} from './refusal.ts';
import type {Action} from './routes.ts';
import type {Grant, TokenSigner} from './tokens.ts';

/** Who sends a request, and what they may do. */
export interface Identity {
  /** Undefined: anybody. */
  readonly user: string | undefined;
  allows(action: Action, repository: string): boolean;
}

export interface AccessOptions {
  /** Undefined: nobody is asked who they are. */
  readonly passwords: PasswordFile | undefined;
  /** Clients get tokens for their passwords; else they send these with each request. */
  readonly tokens: TokenSigner | undefined;
  /** Who is not known may pull. */
  readonly anonymousPull: boolean;
  /** Nobody may push or delete. */
  readonly readOnly: boolean;
}

export interface Access {
  /** Refuses who is not known, and who may not do it. */
  check(request: RegistryRequest, action: Action, repository: string): Promise<Identity>;
  /** By name and password alone, for the place that gives tokens. */
  identify(request: RegistryRequest): Promise<Identity>;
}

const reading: readonly Action[] = ['catalog', 'pull'];

export function createAccess({passwords, tokens, anonymousPull, readOnly}: AccessOptions): Access {
  const isPossible = (action: Action) => !readOnly || !['push', 'delete'].includes(action);
  const everything = (user: string | undefined): Identity => ({user, allows: isPossible});
  const nobody: Identity = {user: undefined, allows: (action) => anonymousPull && reading.includes(action)};

  const identify = async (request: RegistryRequest): Promise<Identity> => {
    if (passwords === undefined) return everything(undefined);
    const {authorization} = request.headers;
    if (authorization === undefined) return nobody;
    const credentials = parseBasic(authorization);
    // Some clients say in this way that they have none.
    if (credentials?.user === '' && credentials.password === '') return nobody;
    if (credentials && (await verify(passwords, credentials))) return everything(credentials.user);
    throw new Refusal('UNAUTHORIZED', 'the user name or the password is wrong');
  };

  const identifyByToken = (signer: TokenSigner, token: string): Identity => {
    const {user, grants} = signer.verify(token) ?? {};
    if (grants === undefined) throw new Refusal('UNAUTHORIZED', 'the token is not valid, or not any more');
    return {
      user,
      allows: (action, repository) => isPossible(action) && grants.some((grant) => covers(grant, action, repository)),
    };
  };

  return {
    identify: (request) =>
      identify(request).catch((error: unknown) =>
        Promise.reject(challenged(error, {'www-authenticate': basicChallenge})),
      ),

    async check(request, action, repository) {
      const challenge = {'www-authenticate': tokens ? tokens.challenge(request, action, repository) : basicChallenge};
      const bearer = tokens && /^bearer +(\S+)$/i.exec(request.headers['authorization'] ?? '')?.[1];
      try {
        const identity = tokens && bearer !== undefined ? identifyByToken(tokens, bearer) : await identify(request);
        if (action === 'open' || identity.allows(action, repository)) return identity;
        if (action === 'login' && (identity.user !== undefined || bearer !== undefined)) return identity;
        if (!isPossible(action)) throw new Refusal('DENIED', 'this registry is read-only');
        if (identity.user !== undefined && bearer === undefined) throw new Refusal('DENIED', 'this is not allowed');
        const detail = repository === '' ? undefined : [{Type: 'repository', Name: repository, Action: action}];
        throw new Refusal('UNAUTHORIZED', 'authentication required', {detail});
      } catch (error) {
        throw challenged(error, challenge);
      }
    },
  };
}

const basicChallenge = 'Basic realm="tscompose registry", charset="UTF-8"';

/** Whoever is not known is told how to make themselves known. */
function challenged(error: unknown, headers: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof Refusal) || error.code !== 'UNAUTHORIZED') return error;
  return new Refusal(error.code, error.message, {detail: error.detail, headers: {...error.headers, ...headers}});
}

function covers({type, name, actions}: Grant, action: Action, repository: string): boolean {
  if (action === 'catalog') return type === 'registry' && name === 'catalog';
  return type === 'repository' && name === repository && actions.includes(action);
}

interface Credentials {
  readonly user: string;
  readonly password: string;
}

function parseBasic(header: string): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=]+)$/i.exec(header)?.[1];
  const text = encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0) return undefined;
  return {user: text.slice(0, colon), password: text.slice(colon + 1)};
}

async function verify(passwords: PasswordFile, {user, password}: Credentials): Promise<boolean> {
  try {
    return await passwords.verify(user, password);
  } catch (error) {
    if (!(error instanceof TscomposeError) || error.kind !== 'exhausted') throw error;
    throw new Refusal('TOOMANYREQUESTS', error.message, {headers: {'retry-after': '1'}});
  }
}
