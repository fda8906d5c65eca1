import type {Transform} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import type {ImageForm} from '../../../api/types/build-output.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {headOf} from '../../image/blob-source.ts';
import {type Compression, decompress, sniffCompression} from '../../image/compression.ts';
import type {LayerRecord} from '../../image/record.ts';
import type {ContentSession} from '../../image/session.ts';

/** The archive of a layer, in the store or made whenever it is wanted. */
export interface LayerBlob {
  readonly digest: string;
  readonly size: number;
  readonly compression: Compression;
}

export type LayerForm = Required<Pick<ImageForm, 'compression'>> &
  Pick<ImageForm, 'compressionLevel' | 'forceCompression'>;

/** The archive of a layer in the form that is asked for; one that is compressed already stays as it is, unless that is forced. */
export async function layerBlob(
  session: ContentSession,
  layer: LayerRecord,
  {form, signal}: {readonly form: LayerForm; readonly signal: AbortSignal},
): Promise<LayerBlob> {
  const source = await session.find(layer.blob);
  if (source?.size === undefined) throw new TscomposeError('internal', `blob ${layer.blob} is gone`);
  const has = sniffCompression(await headOf(source, signal));
  const wants = form.compression === 'uncompressed' ? 'none' : form.compression;
  const isMade = has === 'none';
  if (has === wants || (!isMade && form.forceCompression !== true))
    return {digest: source.digest, size: source.size, compression: has};
  const plain = decompress(source.read(signal), has);
  const content = wants === 'none' ? plain : compressed(plain, {form, signal});
  const {digest, size} = await session.addBlob(content);
  return {digest, size, compression: wants};
}

/** Neither says when it was made: the same content gives the same bytes. */
async function* compressed(
  content: AsyncIterable<Uint8Array>,
  {form, signal}: {readonly form: LayerForm; readonly signal: AbortSignal},
): AsyncGenerator<Uint8Array> {
  const encoder = createEncoder(form);
  const feeding = pipeline(content, encoder, {signal});
  feeding.catch(() => undefined);
  yield* encoder;
  await feeding;
}

const chunkSize = 1024 * 1024;

function createEncoder({compression, compressionLevel: level}: LayerForm): Transform {
  const zlib = process.getBuiltinModule('node:zlib');
  if (compression === 'gzip') return zlib.createGzip({chunkSize, ...(level === undefined ? {} : {level})});
  const {createZstdCompress: create, constants} = zlib as typeof zlib & {
    // Node 22.15 and newer have it.
    createZstdCompress?: (options: {chunkSize: number; params: Readonly<Record<number, number>>}) => Transform;
  };
  if (create === undefined) {
    throw new TscomposeError(
      'unsupported',
      `compression=zstd: Node ${process.versions.node} cannot compress with zstd`,
      {
        hint: 'use Node 22.15 or newer, or compression=gzip',
      },
    );
  }
  const parameter = (constants as unknown as Readonly<Record<string, number>>)['ZSTD_c_compressionLevel'] ?? 0;
  return create({chunkSize, params: level === undefined ? {} : {[parameter]: level}});
}
