import type {ContainerConfig} from '../../api/types/container.ts';
import type {ImageProgress} from '../../api/types/image.ts';
import {onePiece} from '../../base/byte-streams.ts';
import {redactUrls} from '../../base/redact-url.ts';
import {formatNanoseconds, unixNanoseconds} from '../clock.ts';
import type {ImportOptions} from '../engine.ts';
import {type Web, webAddress} from '../web.ts';
import {unlessAborted} from './abort.ts';
import {addImageRecord} from './add.ts';
import {storedBlob} from './blob-source.ts';
import {changeStore} from './change.ts';
import {applyChanges} from './changes.ts';
import {runWithProgress} from './channel.ts';
import {decompress, peek, sniffArchive} from './compression.ts';
import {parseConfiguration} from './configuration.ts';
import type {ImageContext} from './context.ts';
import {refuseHostReference} from './host-image.ts';
import {storeContent} from './load.ts';
import {machinePlatform, type Platform, parsePlatform} from './platform.ts';
import {familiarReference, normaliseReference} from './reference.ts';

/** Makes an image of one layer from the tar of a root file system, compressed or not. */
export function importImage(
  context: ImageContext,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
  signal?: AbortSignal,
): AsyncGenerator<ImageProgress> {
  return runWithProgress<ImageProgress>(async (channel, stopped) => {
    const {reference, config, platform} = readOptions(context, options);
    await changeStore(context, channel, stopped, async (change) => {
      const layer = await unlessAborted(
        asLayer(source).then((content) => change.staging.add(content)),
        stopped,
      );
      const wanted = {diffId: undefined, blob: storedBlob(layer)};
      const [unpacked] = await change.session.layers.provide([wanted], {signal: stopped, onProgress: () => undefined});
      const body = describe(context.now, {
        config,
        diffId: unpacked?.diffId ?? '',
        message: options.message || 'Imported from -',
        platform,
      });
      const configuration = await change.staging.add(onePiece(body));
      const candidate = {references: [], configuration, layers: [layer]};
      const record = await storeContent(change, candidate, parseConfiguration(body, 'the imported image'));
      const {id} = record;
      await addImageRecord(context, record, reference === undefined ? [] : [{reference}]);
      const name = reference === undefined ? id : familiarReference(reference);
      await context.events.append({type: 'image', action: 'import', id, attributes: {name}});
      channel.push({status: id});
    });
  }, signal);
}

/** The same from a web server. Throws what {@link Web.get} throws. */
export async function* importFromWeb(
  context: ImageContext,
  web: Web,
  url: string,
  options: ImportOptions,
  signal: AbortSignal = new AbortController().signal,
): AsyncGenerator<ImageProgress> {
  const address = webAddress(url);
  readOptions(context, options);
  const {body} = await web.get({url: address, signal});
  yield {status: `Downloading from ${redactUrls(address.href)}`};
  const message = options.message || `Imported from ${redactUrls(address.href)}`;
  yield* importImage(context, body, {...options, message}, signal);
}

function readOptions({architecture}: Pick<ImageContext, 'architecture'>, options: ImportOptions) {
  const {repository, tag, changes = []} = options;
  const reference = repository ? normaliseReference(tag ? `${repository}:${tag}` : repository) : undefined;
  if (reference !== undefined) refuseHostReference(reference);
  const platform = options.platform ? parsePlatform(options.platform) : machinePlatform(architecture);
  return {reference, config: applyChanges({}, changes), platform};
}

/** What no registry knows as a layer is kept decompressed. */
async function asLayer(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const {head, content} = await peek(source, 8);
  const compression = sniffArchive(head);
  return compression === 'xz' || compression === 'bzip2' ? decompress(content, compression) : content;
}

interface Imported {
  readonly config: ContainerConfig;
  readonly diffId: string;
  readonly message: string;
  readonly platform: Platform;
}

function describe(now: ImageContext['now'], {config, diffId, message, platform}: Imported): Buffer {
  const created = formatNanoseconds(unixNanoseconds(now));
  return Buffer.from(
    JSON.stringify({
      ...platform,
      created,
      config,
      rootfs: {type: 'layers', diff_ids: [diffId]},
      history: [{created, comment: message}],
    }),
  );
}
