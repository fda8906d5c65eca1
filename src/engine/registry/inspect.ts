import type {DistributionInspect, OciPlatform} from '../../api/types/image.ts';
import {parseJson} from '../image/configuration.ts';
import {isImageDescriptor} from '../image/descriptors.ts';
import type {Connection} from './connection.ts';
import {fetchManifest, type Manifest} from './manifest.ts';
import {fetchSmallBlob} from './small-blob.ts';

export interface InspectRequest {
  readonly repository: string;
  readonly reference: string;
  readonly signal: AbortSignal;
}

/** What a registry has under a name, without pulling it. */
export async function inspectDistribution(
  connection: Connection,
  request: InspectRequest,
): Promise<DistributionInspect> {
  const manifest = await fetchManifest(connection, request);
  const {mediaType, digest, bytes} = manifest;
  return {
    Descriptor: {mediaType, digest, size: bytes.length},
    Platforms: await platformsOf(connection, request, manifest),
  };
}

async function platformsOf(
  connection: Connection,
  {repository, signal}: InspectRequest,
  {content}: Manifest,
): Promise<readonly OciPlatform[]> {
  if (content.kind === 'index') {
    return content.manifests.flatMap((manifest) =>
      manifest.platform !== undefined && isImageDescriptor(manifest) ? [manifest.platform] : [],
    );
  }
  const bytes = await fetchSmallBlob(connection, {repository, descriptor: content.config, signal});
  const {os, architecture, variant} = parseJson(bytes, `the configuration ${content.config.digest}`);
  return [
    {
      os: typeof os === 'string' ? os : '',
      architecture: typeof architecture === 'string' ? architecture : '',
      ...(typeof variant === 'string' && variant !== '' ? {variant} : {}),
    },
  ];
}
