import {readOutputFields} from '../../api/build-output.ts';
import type {BuildOutput} from '../../api/types/build-output.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Message} from './messages.ts';
import type {BuiltFiles} from './send-output.ts';

type ImageOutput = Extract<BuildOutput, {readonly kind: 'image'}>;

/** What a client wants of a build; neither images nor files: only that its steps are kept. */
export interface WantedOutputs {
  readonly images: readonly ImageOutput[];
  /** Files that are sent to the client; `number`: which of the outputs that it asked for they are. */
  readonly files: readonly (Pick<BuiltFiles, 'kind'> & {readonly number: number})[];
  /** Names of the images. */
  readonly tags: readonly string[];
}

/** Throws `unsupported`, `invalid` for what else can be made of a build. */
export function wantedOutputs({exporter, exporterAttrs, exporters}: Message<'SolveRequest'>): WantedOutputs {
  const asked = exporters.length > 0 ? exporters : exporter === '' ? [] : [{type: exporter, attrs: exporterAttrs}];
  const images: ImageOutput[] = [];
  const files: WantedOutputs['files'][number][] = [];
  for (const [number, {type, attrs}] of asked.entries()) {
    if (type === 'local' || type === 'tar') files.push({kind: type, number});
    else if (type === 'moby' || type === 'image') images.push(imageOf(type, attrs));
    else {
      throw new TscomposeError('unsupported', `cannot build: output "${type}" is not supported`, {
        hint: 'build an image, and push or save that',
      });
    }
  }
  return {images, files, tags: [...new Set(images.flatMap(({names = []}) => names))]};
}

/**
 * `moby` is the engine's own store, whose images have no form that could be asked for: a client that wants them pushed does
 * that itself afterwards, as with Docker.
 */
function imageOf(type: string, {name = '', ...attrs}: Readonly<Record<string, string>>): ImageOutput {
  const names = name.split(',').filter((one) => one !== '');
  if (type === 'moby') return {kind: 'image', push: false, names};
  const output = readOutputFields(Object.entries({...attrs, type}), {word: 'type=image', resolve: String});
  return {...(output as ImageOutput), names};
}
