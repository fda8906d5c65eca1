import {createHash, type Hash} from 'node:crypto';

const lengths = {sha256: 64, sha512: 128} as const;

/** What a digest can be made by (OCI image spec, descriptor.md). The store keeps everything under SHA-256. */
export type DigestAlgorithm = keyof typeof lengths;

export interface ParsedDigest {
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
}

export function isDigestAlgorithm(text: string): text is DigestAlgorithm {
  return Object.hasOwn(lengths, text);
}

/** `sha256:` or `sha512:` and its hex digits; undefined for anything else. */
export function parseAnyDigest(text: string): ParsedDigest | undefined {
  const [algorithm = '', hex = '', ...more] = text.split(':');
  if (!isDigestAlgorithm(algorithm) || more.length > 0) return undefined;
  return hex.length === lengths[algorithm] && /^[0-9a-f]+$/.test(hex) ? {algorithm, hex} : undefined;
}

/** A name for a file: of a digest that was checked. */
export function digestFileName(digest: string): string {
  return digest.replace(':', '-');
}

/** The digest that a file is named after; undefined for another file. */
export function digestOfFileName(name: string): string | undefined {
  const text = name.replace('-', ':');
  return parseAnyDigest(text) && text;
}

export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): string {
  return formatHash(createHash(algorithm).update(bytes), algorithm);
}

export function formatHash(hash: Hash, algorithm: DigestAlgorithm): string {
  return `${algorithm}:${hash.digest('hex')}`;
}
