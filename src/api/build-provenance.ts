import {csvFields} from '../base/csv-fields.ts';
import {TscomposeError} from '../base/errors.ts';
import type {BuildProvenance} from './types/build-output.ts';

function wrong(text: string, reason: string): TscomposeError {
  return new TscomposeError('invalid', `provenance ${text}: ${reason}`, {
    hint: 'write true, false, or mode=min|max with version=v0.2|v1, builder-id=ID, reproducible=true',
  });
}

function truth(text: string): boolean | undefined {
  if (/^(?:1|t|true)$/i.test(text)) return true;
  return /^(?:0|f|false)$/i.test(text) ? false : undefined;
}

/** `true`, `mode=max`, `false` (undefined), `mode=min,version=v1,builder-id=ID,reproducible=true`. Throws `invalid`. */
export function parseProvenance(text: string): BuildProvenance | undefined {
  const fields = csvFields(text);
  const [[first, value] = ['', undefined], ...more] = fields;
  const alone = value === undefined && more.length === 0 ? truth(first) : undefined;
  if (alone !== undefined) return alone ? {mode: 'min', version: 'v0.2'} : undefined;
  return readProvenance(fields, text);
}

/** The fields of `--provenance` or of `--attest type=provenance`. */
function readProvenance(
  fields: readonly (readonly [string, string | undefined])[],
  text: string,
): BuildProvenance | undefined {
  const members = new Map(fields.map(([key, value]) => [key, value ?? '']));
  if (truth(members.get('disabled') ?? 'false') === true) return undefined;
  const mode = members.get('mode') ?? 'min';
  const version = members.get('version') ?? 'v0.2';
  const reproducible = truth(members.get('reproducible') ?? 'false');
  const builderId = members.get('builder-id');
  const unknown = [...members.keys()].find(
    (key) => !['type', 'disabled', 'mode', 'version', 'reproducible', 'builder-id'].includes(key),
  );
  if (unknown !== undefined) throw wrong(text, `"${unknown}" is not known`);
  if (mode !== 'min' && mode !== 'max') throw wrong(text, `mode "${mode}" is not known`);
  if (version !== 'v0.2' && version !== 'v1') throw wrong(text, `version "${version}" is not known`);
  if (reproducible === undefined) throw wrong(text, '"reproducible" is true or false');
  return {mode, version, ...(builderId === undefined ? {} : {builderId}), ...(reproducible ? {reproducible} : {})};
}

/** `--attest type=provenance,…` as `--provenance` has it; `type=sbom` is refused unless it is switched off. */
export function parseAttestation(text: string): BuildProvenance | undefined {
  const members = new Map(csvFields(text));
  const type = members.get('type');
  if (type === 'provenance') return readProvenance(csvFields(text), text);
  if (type === 'sbom') {
    if (truth(members.get('disabled') ?? 'false') !== true) refuseSbom('true');
    return undefined;
  }
  throw new TscomposeError('invalid', `attestation ${text}: it has no type that is known`, {
    hint: 'write type=provenance',
  });
}

/** Throws `unsupported` for one that is on: the docker driver of Docker refuses it, too. */
export function refuseSbom(text: string): void {
  if (truth(text) === false || /^(?:no|off)?$/i.test(text)) return;
  throw new TscomposeError(
    'unsupported',
    'what is in the image (sbom) cannot be attested: no scanner is run here, nor by the docker driver of Docker',
    {hint: 'leave it out, and have a scanner make the list of the image that was built'},
  );
}
