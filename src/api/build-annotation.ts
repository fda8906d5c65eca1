import {TscomposeError} from '../base/errors.ts';
import type {BuildAnnotation} from './types/build-output.ts';

const kinds = [
  'manifest',
  'index',
  'manifest-descriptor',
  'index-descriptor',
] as const satisfies readonly BuildAnnotation['of'][];

/** `annotation.KEY`, `annotation-index.KEY`, `annotation-manifest[linux/amd64].KEY`; undefined for anything else. */
export function readAnnotationKey(text: string): Omit<BuildAnnotation, 'value'> | undefined {
  const match = /^annotation(?:-([a-z-]+))?(?:\[([^\]]+)\])?\.(.+)$/s.exec(text);
  const [, name = 'manifest', platform, key = ''] = match ?? [];
  const of = kinds.find((kind) => kind === name);
  return match === null || of === undefined ? undefined : {of, ...(platform === undefined ? {} : {platform}), key};
}

/** `KEY=VALUE`, `index:KEY=VALUE`, `index,manifest[linux/amd64]:KEY=VALUE`. Throws `invalid`. */
export function parseAnnotation(text: string): readonly BuildAnnotation[] {
  const equals = text.indexOf('=');
  const before = equals < 0 ? text : text.slice(0, equals);
  const colon = before.indexOf(':');
  const key = before.slice(colon + 1);
  if (equals < 0 || key === '') throw wrong(text, 'it reads [TYPE:]KEY=VALUE');
  const value = text.slice(equals + 1);
  const types = colon < 0 ? ['manifest'] : before.slice(0, colon).split(',');
  return types.map((type) => {
    const [, name, platform] = /^([a-z-]+)(?:\[([^\]]+)\])?$/.exec(type.trim()) ?? [];
    const of = kinds.find((kind) => kind === name);
    if (of === undefined) throw wrong(text, `"${type}" is no type of annotations`);
    return {of, ...(platform === undefined ? {} : {platform}), key, value};
  });
}

function wrong(text: string, reason: string): TscomposeError {
  return new TscomposeError('invalid', `annotation ${text}: ${reason}`, {hint: `types are ${kinds.join(', ')}`});
}
