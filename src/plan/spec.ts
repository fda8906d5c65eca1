import type {Json} from '../base/canonical-json.ts';

/**
 * What something was made from: canonical values by attribute, only what the stack file stated. Kept with the container,
 * network or volume in the label `io.tscompose.spec`, as `{"v":1,…}`.
 */
export type Spec = Readonly<Record<string, Json>>;

const specVersion = 1;

/** Reads the label; absent, unreadable or of a later version: undefined, and the thing is compared through inspect. */
export function parseSpec(label: string | undefined): Spec | undefined {
  if (label === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(label);
  } catch {
    return undefined;
  }
  return isRecord(value) && value['v'] === specVersion ? withoutVersion(value) : undefined;
}

/** A spec as the label would give it back: without its version, and only what JSON can hold. */
export function canonicalSpec(spec: Spec): Spec {
  return withoutVersion(JSON.parse(JSON.stringify(spec)) as Spec);
}

function withoutVersion({v: _version, ...spec}: Spec): Spec {
  return spec;
}

function isRecord(value: unknown): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
