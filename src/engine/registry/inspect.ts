import type {DistributionInspect, OciPlatform, RegistryManifest} from '../../api/types/image.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import {parseJson} from '../image/configuration.ts';
import {isImageDescriptor, isManifestType} from '../image/descriptors.ts';
import type {Connection} from './connection.ts';
import {fetchManifest, type Manifest} from './manifest.ts';
import {listReferrers} from './referrers.ts';
import {fetchChild} from './resolve.ts';
import {fetchSmallBlob} from './small-blob.ts';

/** Manifests that are asked for at the same time. */
const fetchesMax = 4;

export interface InspectRequest {
  readonly repository: string;
  readonly reference: string;
  readonly manifests: boolean;
  readonly referrers: boolean;
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
    ...(request.manifests ? {Manifests: await readManifests(connection, request, manifest)} : {}),
    ...(request.referrers ? {Referrers: await listReferrers(connection, {...request, digest})} : {}),
  };
}

/** Those of an index that the registry does not have, or that are none, are left out. */
async function readManifests(
  connection: Connection,
  {repository, signal}: InspectRequest,
  {mediaType, digest, bytes, content}: Manifest,
): Promise<readonly RegistryManifest[]> {
  const own = {Descriptor: {mediaType, digest, size: bytes.length}, Raw: bytes.toString('base64')};
  const named = content.kind === 'index' ? content.manifests.filter((child) => isManifestType(child.mediaType)) : [];
  const children = await mapLimited(named, fetchesMax, async (child): Promise<readonly RegistryManifest[]> => {
    try {
      const found = await fetchChild(connection, repository, child, signal);
      const {platform, annotations} = child;
      const Descriptor = {
        ...{mediaType: found.mediaType, digest: found.digest, size: found.bytes.length},
        ...(platform === undefined ? {} : {platform}),
        ...(Object.keys(annotations).length === 0 ? {} : {annotations}),
      };
      return [{Descriptor, Raw: found.bytes.toString('base64')}];
    } catch (error) {
      if (hasKind(error, 'notFound', 'unsupported')) return [];
      throw error;
    }
  });
  return [own, ...children.flat()];
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
