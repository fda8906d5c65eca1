import {createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign} from 'node:crypto';
import {TscomposeError} from '../../../base/errors.ts';
import {field, WireReader, wholeNumber} from './wire.ts';

/** A private key as an agent has it. */
export interface AgentKey {
  /** The public one, as SSH writes it. */
  readonly blob: Buffer;
  readonly comment: string;
  /** The signature with its algorithm in front; `flags` choose among those of RSA. */
  sign(data: Buffer, flags: number): Buffer;
}

const curves: Readonly<Record<string, {readonly name: string; readonly hash: string}>> = {
  'P-256': {name: 'nistp256', hash: 'sha256'},
  'P-384': {name: 'nistp384', hash: 'sha384'},
  'P-521': {name: 'nistp521', hash: 'sha512'},
};

/**
 * Reads a key in OpenSSH's format or in PEM; `shown` is it in messages. Throws `invalid` for one that has a passphrase or is of
 * another kind.
 */
export function readPrivateKey(text: string, shown: string): AgentKey {
  const {key, comment = ''} = parse(text, shown);
  const jwk = publicPartOf(key);
  const bytes = (member: 'n' | 'e' | 'x' | 'y'): Buffer => Buffer.from(String(jwk[member] ?? ''), 'base64url');
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') {
    const blob = Buffer.concat([field('ssh-ed25519'), field(bytes('x'))]);
    return {blob, comment, sign: (data) => signature('ssh-ed25519', sign(null, data, key))};
  }
  if (jwk.kty === 'RSA') {
    const blob = Buffer.concat([field('ssh-rsa'), wholeNumber(bytes('e')), wholeNumber(bytes('n'))]);
    return {blob, comment, sign: (data, flags) => signRsa(key, data, flags)};
  }
  const curve = jwk.kty === 'EC' ? curves[jwk.crv ?? ''] : undefined;
  if (curve === undefined)
    throw refused(shown, 'it is of a kind that is not known', 'take an Ed25519, RSA or ECDSA key');
  const algorithm = `ecdsa-sha2-${curve.name}`;
  const point = Buffer.concat([Buffer.of(4), bytes('x'), bytes('y')]);
  const blob = Buffer.concat([field(algorithm), field(curve.name), field(point)]);
  return {
    blob,
    comment,
    sign(data) {
      const both = sign(curve.hash, data, {key, dsaEncoding: 'ieee-p1363'});
      const [r, s] = [both.subarray(0, both.length / 2), both.subarray(both.length / 2)];
      return signature(algorithm, Buffer.concat([wholeNumber(r), wholeNumber(s)]));
    },
  };
}

/** Undefined members: of a kind that JWK does not have, such as DSA. */
function publicPartOf(key: KeyObject): JsonWebKey {
  try {
    return createPublicKey(key).export({format: 'jwk'});
  } catch {
    return {};
  }
}

/** Those who ask for none of the newer two get the one of old. */
function signRsa(key: KeyObject, data: Buffer, flags: number): Buffer {
  if ((flags & 4) !== 0) return signature('rsa-sha2-512', sign('sha512', data, key));
  if ((flags & 2) !== 0) return signature('rsa-sha2-256', sign('sha256', data, key));
  return signature('ssh-rsa', sign('sha1', data, key));
}

function signature(algorithm: string, bytes: Buffer): Buffer {
  return Buffer.concat([field(algorithm), field(bytes)]);
}

function parse(text: string, shown: string): {readonly key: KeyObject; readonly comment?: string} {
  const [, body] = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(text) ?? [];
  try {
    if (body !== undefined) return parseOpenSsh(Buffer.from(body, 'base64'), shown);
    if (/^Proc-Type:.*ENCRYPTED|BEGIN ENCRYPTED PRIVATE KEY/m.test(text)) throw encrypted(shown);
    return {key: createPrivateKey(text)};
  } catch (cause) {
    if (cause instanceof TscomposeError) throw cause;
    throw refused(
      shown,
      'it is neither a socket nor a private key',
      'name the socket of an agent, or the file of a key',
      cause,
    );
  }
}

const magic = 'openssh-key-v1\0';

/** `PROTOCOL.key` of OpenSSH. */
function parseOpenSsh(bytes: Buffer, shown: string): {readonly key: KeyObject; readonly comment: string} {
  if (bytes.subarray(0, magic.length).toString('latin1') !== magic) throw new RangeError('no key of OpenSSH');
  const outer = new WireReader(bytes.subarray(magic.length));
  const cipher = outer.text();
  outer.field();
  outer.field();
  outer.number();
  outer.field();
  if (cipher !== 'none') throw encrypted(shown);
  const inner = new WireReader(outer.field());
  // Twice the same number: of use where it is encrypted.
  inner.number();
  inner.number();
  const jwk = readFields(inner.text(), inner);
  if (jwk === undefined) throw refused(shown, 'it is of a kind that is not known', 'take an Ed25519, RSA or ECDSA key');
  const comment = inner.field().toString('utf8');
  return {key: createPrivateKey({key: jwk, format: 'jwk'}), comment};
}

function readFields(algorithm: string, inner: WireReader): JsonWebKey | undefined {
  if (algorithm === 'ssh-ed25519') {
    const x = base64(inner.field());
    return {kty: 'OKP', crv: 'Ed25519', x, d: base64(inner.field().subarray(0, 32))};
  }
  if (algorithm === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = [...Array(6)].map(() => inner.field());
    if (!n || !e || !d || !qi || !p || !q) return undefined;
    const reduced = (prime: Buffer) => base64(bytesOf(bigOf(d) % (bigOf(prime) - 1n)));
    const plain = {n: base64(n), e: base64(e), d: base64(d), p: base64(p), q: base64(q), qi: base64(qi)};
    return {kty: 'RSA', ...plain, dp: reduced(p), dq: reduced(q)};
  }
  const [crv, {name = ''} = {}] =
    Object.entries(curves).find(([, curve]) => algorithm === `ecdsa-sha2-${curve.name}`) ?? [];
  if (crv === undefined || inner.text() !== name) return undefined;
  const point = inner.field();
  const size = (point.length - 1) / 2;
  const d = inner.field();
  // A number of SSH has neither zeros in front nor a fixed length.
  const padded = Buffer.concat([Buffer.alloc(size), d]).subarray(-size);
  return {
    kty: 'EC',
    crv,
    x: base64(point.subarray(1, 1 + size)),
    y: base64(point.subarray(1 + size)),
    d: base64(padded),
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64url');
}

function bigOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

function encrypted(shown: string): TscomposeError {
  return refused(shown, 'it has a passphrase', 'add it to an agent: ssh-add FILE; and give that with --ssh default');
}

function refused(shown: string, reason: string, hint: string, cause?: unknown): TscomposeError {
  return new TscomposeError('invalid', `${shown}: ${reason}`, {hint, cause});
}
