import {mediaTypesOf, type Named, type Written, written} from './descriptor.ts';

const statementType = 'application/vnd.in-toto+json';

/** What is attested, and of which image. */
export interface Attested {
  readonly manifest: Named;
  /** Package URLs of the image. */
  readonly names: readonly string[];
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

/** The documents of an attestation, in the order in which they name each other; the last one stands in an index. */
export function attestationOf({manifest, names, predicateType, predicate}: Attested): {
  readonly documents: readonly Written[];
  readonly entry: Named;
} {
  const sha256 = manifest.digest.slice('sha256:'.length);
  const subject = (names.length > 0 ? names : ['_']).map((name) => ({name, digest: {sha256}}));
  const statement = written(statementType, {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType,
    subject,
    predicate,
  });
  const types = mediaTypesOf(true);
  const unknown = {architecture: 'unknown', os: 'unknown'};
  const config = written(types.config, {
    ...unknown,
    config: {},
    rootfs: {type: 'layers', diff_ids: [statement.named.digest]},
  });
  const layer = {...statement.named, annotations: {'in-toto.io/predicate-type': predicateType}};
  const attestation = written(types.manifest, {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: config.named,
    layers: [layer],
  });
  return {
    documents: [statement, config, attestation],
    entry: {
      ...attestation.named,
      annotations: {
        'vnd.docker.reference.digest': manifest.digest,
        'vnd.docker.reference.type': 'attestation-manifest',
      },
      platform: unknown,
    },
  };
}
