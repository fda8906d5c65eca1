import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {familiarReference, normaliseReference} from '../../engine/image/reference.ts';
import type {CliContext} from '../context.ts';
import {authFor, type TellWarning} from '../credentials.ts';

export interface ResolvedDigest {
  readonly digest: string;
  /** Why it is that of the image on this machine; absent: its registry has said it. */
  readonly instead?: string;
}

/**
 * What a name stands for now: its registry says so; where that does not answer, the image that was pulled by the name counts.
 * Throws what the registry said where there is none.
 */
export async function resolveDigest(
  {env}: Pick<CliContext, 'env'>,
  docker: Docker,
  {reference, signal, tell}: {readonly reference: string; readonly signal: AbortSignal; readonly tell: TellWarning},
): Promise<ResolvedDigest> {
  const name = familiarReference(reference);
  const image = docker.getImage(name);
  try {
    const authconfig = await authFor({env}, name, tell);
    const {Descriptor} = await image.distribution({abortSignal: signal, authconfig});
    return {digest: Descriptor.digest};
  } catch (error) {
    if (signal.aborted) throw error;
    const {kind, message, hint} = toTscomposeError(error);
    const digest = await localDigest(docker, reference);
    if (digest !== undefined) return {digest, instead: message};
    throw new TscomposeError(kind, `image "${name}": ${message}`, {hint, cause: error});
  }
}

/** The digest that the image came by, from the same place. */
async function localDigest(docker: Docker, reference: string): Promise<string | undefined> {
  const repository = reference.slice(0, reference.lastIndexOf(':'));
  try {
    const {RepoDigests} = await docker.getImage(familiarReference(reference)).inspect();
    const known = RepoDigests.find((entry) => normaliseReference(entry).startsWith(`${repository}@`));
    return known?.slice(known.indexOf('@') + 1);
  } catch {
    // What the registry said is told.
    return undefined;
  }
}
