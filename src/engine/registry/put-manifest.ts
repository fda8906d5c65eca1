import {TscomposeError} from '../../base/errors.ts';
import type {Connection} from './connection.ts';
import type {Manifest} from './manifest.ts';
import {errorOfResponse} from './status.ts';

/**
 * Stores a manifest under a tag or its digest. Everything it names has to be there. `isListed`: the registry lists it by itself
 * under what it is about.
 */
export async function putManifest(
  connection: Connection,
  request: {
    readonly repository: string;
    readonly reference: string;
    readonly manifest: Pick<Manifest, 'bytes' | 'mediaType' | 'digest'>;
    readonly signal: AbortSignal;
  },
): Promise<{readonly isListed: boolean}> {
  const {repository, reference, manifest, signal} = request;
  const response = await connection.send({
    method: 'PUT',
    target: `/v2/${repository}/manifests/${reference}`,
    scopes: [`repository:${repository}:pull,push`],
    headers: {'content-type': manifest.mediaType, 'content-length': String(manifest.bytes.length)},
    body: () => manifest.bytes,
    signal,
  });
  const {registry} = connection.endpoint;
  if (response.status !== 201 && response.status !== 202) {
    throw await errorOfResponse(response, {what: `cannot push manifest ${repository}:${reference}`, registry});
  }
  response.discard();
  const stored = response.headers['docker-content-digest'];
  if (stored === undefined || stored === manifest.digest)
    return {isListed: response.headers['oci-subject'] !== undefined};
  throw new TscomposeError('invalid', `registry ${registry}: manifest ${manifest.digest} was stored as ${stored}`);
}
