import {TscomposeError} from '../../base/errors.ts';
import type {Candidate} from './docker-archive.ts';
import {familiarReference} from './reference.ts';

/**
 * The images of an archive that is written in two ways at once (`manifest.json` and an OCI layout). The layout is taken,
 * since it has the exact manifests, and what only the other tells of. Both have to mean the same: one reader must not see
 * another image than the next. Throws `invalid`.
 */
export function unite(layout: readonly Candidate[], list: readonly Candidate[]): readonly Candidate[] {
  const images = new Map<string, Candidate>();
  const owners = new Map<string, Candidate>();
  for (const candidate of layout) {
    images.set(candidate.configuration.digest, candidate);
    for (const reference of candidate.references) owners.set(reference, candidate);
  }
  const more = list.flatMap((item) => {
    const references = item.references.filter((reference) => !isKnown(owners.get(reference), item, reference));
    const same = images.get(item.configuration.digest);
    if (same) {
      checkLayers(same, item);
      return references.length === 0 ? [] : [{...same, references}];
    }
    return [{...item, references}];
  });
  return [...layout, ...more];
}

function isKnown(owner: Candidate | undefined, item: Candidate, reference: string): boolean {
  if (owner === undefined) return false;
  const [one, other] = [owner.configuration.digest, item.configuration.digest];
  if (one === other) return true;
  throw contradiction(`"${familiarReference(reference)}" is ${one} by its index.json, ${other} by its manifest.json`);
}

/** The same layers in one order; compressed in two ways they are checked against the configuration anyway. */
function checkLayers(one: Candidate, other: Candidate): void {
  if (one.layers.length === other.layers.length) return;
  throw contradiction(
    `image ${one.configuration.digest} has ${one.layers.length} layers by its index.json, ${other.layers.length} by its manifest.json`,
  );
}

function contradiction(what: string): TscomposeError {
  return new TscomposeError('invalid', `the archive contradicts itself: ${what}`);
}
