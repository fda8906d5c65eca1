import {createHmac, randomBytes, randomUUID, timingSafeEqual} from 'node:crypto';
import {isRepositoryName} from '../../engine/hosting/names.ts';
import type {Identity} from './access.ts';
import {jsonResponse, type RegistryRequest, type RegistryResponse, readAtMost} from './message.ts';
import {Refusal} from './refusal.ts';
import type {Action} from './routes.ts';

/** What a token allows, as registries write it (distribution, "Token Scope Documentation"). */
export interface Grant {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

export interface TokenSigner {
  /** The header that sends a client to the place that gives tokens. */
  challenge(request: RegistryRequest, action: Action, repository: string): string;
  sign(user: string | undefined, grants: readonly Grant[]): {readonly token: string; readonly issued: Date};
  /** Undefined for one that was not signed here, was changed, or is too old. */
  verify(token: string): {readonly user: string | undefined; readonly grants: readonly Grant[]} | undefined;
}

export interface TokenOptions {
  readonly now: () => number;
  /** The registry's own name, where a request does not tell a sound one. */
  readonly host: string;
}

const lifetimeSeconds = 300;
const service = 'tscompose registry';
const scopesMax = 100;

/**
 * Signs with a key that lives as long as this process: after a restart clients are asked for their passwords again, which
 * they do by themselves.
 */
export function createTokenSigner({now, host}: TokenOptions): TokenSigner {
  const key = randomBytes(32);
  const signatureOf = (text: string) => createHmac('sha256', key).update(text).digest('base64url');
  const head = encode({typ: 'JWT', alg: 'HS256'});
  return {
    challenge(request, action, repository) {
      const scope = scopeOf(action, repository);
      return `Bearer realm="${tokenAddress(request, host)}",service="${service}"${scope === undefined ? '' : `,scope="${scope}"`}`;
    },

    sign(user, grants) {
      const issued = new Date(Math.floor(now() / 1000) * 1000);
      const iat = issued.getTime() / 1000;
      const claims = {
        iss: service,
        aud: service,
        sub: user ?? '',
        iat,
        nbf: iat,
        exp: iat + lifetimeSeconds,
        jti: randomUUID(),
      };
      const text = `${head}.${encode({...claims, access: grants})}`;
      return {token: `${text}.${signatureOf(text)}`, issued};
    },

    verify(token) {
      const [first, second, signature, ...more] = token.split('.');
      if (first !== head || second === undefined || signature === undefined || more.length > 0) return undefined;
      const expected = Buffer.from(signatureOf(`${first}.${second}`));
      const given = Buffer.from(signature);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const claims = JSON.parse(Buffer.from(second, 'base64url').toString('utf8')) as Claims;
      if (claims.exp * 1000 <= now()) return undefined;
      return {user: claims.sub === '' ? undefined : claims.sub, grants: claims.access};
    },
  };
}

/** Only what was signed here is read. */
interface Claims {
  readonly sub: string;
  readonly exp: number;
  readonly access: readonly Grant[];
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function scopeOf(action: Action, repository: string): string | undefined {
  if (action === 'catalog') return 'registry:catalog:*';
  if (repository === '') return undefined;
  return `repository:${repository}:${action === 'push' ? 'pull,push' : action}`;
}

/** Where the client found this registry; one in front of it may have taken away TLS. */
function tokenAddress({headers, isSecure}: RegistryRequest, host: string): string {
  const asked = headers['host'] ?? '';
  const scheme = isSecure || headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  return `${scheme}://${/^[A-Za-z0-9.:[\]-]+$/.test(asked) ? asked : host}/token`;
}

/**
 * Answers a client that asks for a token: by GET with its name and password in the header, or by the form of OAuth 2. Of what
 * it asks for it gets what it may do, which can be nothing.
 */
export async function giveToken(
  signer: TokenSigner,
  identify: (request: RegistryRequest) => Promise<Identity>,
  request: RegistryRequest,
): Promise<RegistryResponse> {
  const form = request.method === 'POST' ? await readForm(request) : undefined;
  const identity = await identify(form === undefined ? request : withCredentials(request, form));
  const scopes = (form ?? request.query).getAll('scope').flatMap((scope) => scope.split(' '));
  const grants = scopes.slice(0, scopesMax).flatMap((scope) => grantOf(scope, identity));
  const {token, issued} = signer.sign(identity.user, grants);
  return jsonResponse(
    {token, access_token: token, expires_in: lifetimeSeconds, issued_at: issued.toISOString()},
    {'cache-control': 'no-store'},
  );
}

async function readForm(request: RegistryRequest): Promise<URLSearchParams> {
  const bytes = await readAtMost(request.body, 64 * 1024);
  if (bytes === undefined) throw new Refusal('UNSUPPORTED', 'the form is too large', {status: 413});
  return new URLSearchParams(Buffer.from(bytes).toString('utf8'));
}

function withCredentials(request: RegistryRequest, form: URLSearchParams): RegistryRequest {
  if (form.get('grant_type') !== 'password') {
    throw new Refusal('UNSUPPORTED', 'only the grant type "password" is known here', {status: 400});
  }
  const text = `${form.get('username') ?? ''}:${form.get('password') ?? ''}`;
  return {...request, headers: {...request.headers, authorization: `Basic ${Buffer.from(text).toString('base64')}`}};
}

const repositoryActions = ['pull', 'push', 'delete'] as const;

/** `repository:team/app:pull,push`, `registry:catalog:*`: as far as it is allowed. */
function grantOf(scope: string, identity: Identity): readonly Grant[] {
  const [type = '', name = '', wanted = ''] = scope.split(':');
  if (type === 'registry' && name === 'catalog') {
    return identity.allows('catalog', '') ? [{type, name, actions: ['*']}] : [];
  }
  if (type !== 'repository' || !isRepositoryName(name)) return [];
  const asked = wanted.split(',');
  const actions = repositoryActions.filter(
    (action) => (asked.includes(action) || asked.includes('*')) && identity.allows(action, name),
  );
  return actions.length === 0 ? [] : [{type, name, actions}];
}
