import type {BuildSecret} from '../../../api/types/build.ts';
import {readRegularFile} from '../../../base/regular-file.ts';

/** Bytes that a password may have. */
const most = 64 * 1024;

/** What a secret of a build holds; undefined where there is none of that name. */
export function secretText(secrets: readonly BuildSecret[], id: string): string | undefined {
  const content = secrets.find((secret) => secret.id === id)?.content;
  if (content === undefined) return undefined;
  if ('base64' in content) return Buffer.from(content.base64, 'base64').toString('utf8');
  return readRegularFile(content.path, {shown: `secret "${id}" from ${content.path}`, most}).toString('utf8');
}
