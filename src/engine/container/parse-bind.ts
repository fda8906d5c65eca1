import {TscomposeError} from '../../base/errors.ts';
import {propagations} from '../mount-options.ts';
import {checkVolumeName, cleanPath, parseTarget} from './mount-path.ts';
import type {BindRequest, VolumeRequest} from './parse-mounts.ts';

/** `/source:/target:options`, `name:/target:options` or `/target`. Throws `invalid`. */
export function parseBind(text: string): BindRequest | VolumeRequest {
  const parts = text.split(':');
  if (parts.length > 3 || parts.some((part, index) => part === '' && index < 2)) throw invalidBind(text);
  const [first = '', second, mode = ''] = parts;
  const explain = (type: string) => (reason: string) =>
    invalidBind(text, `: invalid mount config for type "${type}": ${reason}`);
  // What was meant is a path with options, and the path is missing.
  if (parts.length === 2 && isMode(second ?? '')) throw invalidBind(text);
  if (second === undefined)
    return {kind: 'volume', target: parseTarget(first, explain('volume')), readOnly: false, copy: true, mode: ''};
  const isPath = first.startsWith('/');
  const explained = explain(isPath ? 'bind' : 'volume');
  const options = parseMode(mode);
  const target = parseTarget(second, explained);
  if (isPath) {
    if (options.noCopy) throw explained('field VolumeOptions must not be specified');
    return {
      kind: 'bind',
      source: cleanPath(first),
      target,
      readOnly: options.readOnly,
      propagation: options.propagation ?? 'rprivate',
      createSource: true,
      recursive: true,
      mode,
      mustExist: false,
    };
  }
  const name = checkVolumeName(first);
  if (options.propagation !== undefined) throw explained('field BindOptions must not be specified');
  const {readOnly, noCopy} = options;
  return {kind: 'volume', name, target, readOnly, copy: !noCopy, mode: mode === '' ? 'z' : mode};
}

function invalidBind(text: string, reason = ''): TscomposeError {
  return new TscomposeError('invalid', `invalid volume specification: '${text}'${reason}`);
}

interface BindOptions {
  readonly readOnly: boolean;
  readonly noCopy: boolean;
  readonly propagation?: string;
}

/**
 * Words that exclude each other, and themselves. Labels of SELinux have no meaning here, since containers are not confined by
 * it; the last set is how Docker Desktop shared files.
 */
const choices: readonly (readonly string[])[] = [
  ['ro', 'rw'],
  ['z', 'Z'],
  ['nocopy'],
  propagations,
  ['consistent', 'cached', 'delegated'],
];

function isMode(mode: string): boolean {
  const words = wordsOf(mode);
  const isKnown = words.every((word) => choices.some((choice) => choice.includes(word)));
  return isKnown && choices.every((choice) => words.filter((word) => choice.includes(word)).length <= 1);
}

function wordsOf(mode: string): readonly string[] {
  return mode.split(',').filter((word) => word !== '');
}

function parseMode(mode: string): BindOptions {
  const words = wordsOf(mode);
  if (!isMode(mode)) throw new TscomposeError('invalid', `invalid mode: ${mode}`);
  const propagation = words.find((word) => propagations.includes(word));
  return {
    readOnly: words.includes('ro'),
    noCopy: words.includes('nocopy'),
    ...(propagation === undefined ? {} : {propagation}),
  };
}
