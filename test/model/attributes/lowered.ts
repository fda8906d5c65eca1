import {composeLabels, specLabel} from '../../../src/api/labels.ts';
import type {Json} from '../../../src/base/canonical-json.ts';
import {hasKind} from '../../../src/base/errors.ts';
import {lowerNetwork, lowerService, lowerVolume, replicasOf} from '../../../src/model/lower.ts';
import type {Project} from '../../../src/model/types.ts';

type JsonObject = {readonly [name: string]: Json};

/** What tells how a thing was made, and so differs with every attribute. */
const ofEveryAttribute: readonly string[] = [composeLabels.configHash, composeLabels.configFiles, specLabel];

/** Everything that an engine is asked for because of a project, by kind and name; `remote`: by a Docker Engine. */
export function loweredOf(project: Project, remote = false): Json {
  const version = '1';
  const features = new Set(remote ? [] : ['files']);
  const each = <T>(all: Readonly<Record<string, T>>, lower: (key: string, value: T) => object): JsonObject =>
    Object.fromEntries(
      Object.entries(all).map(([key, value]) => {
        return [key, plainOf(lower, key, value)];
      }),
    );
  return {
    services: each(project.services, (service, value) => {
      const {name, body, platform} = lowerService({project, service, replica: 1, features, version});
      return {name, replicas: replicasOf(value), ...body, platform};
    }),
    networks: each(project.networks, (key) => lowerNetwork({project, key, version})),
    volumes: each(project.volumes, (key) => lowerVolume({project, key, version})),
  };
}

/** As JSON, without what every attribute changes; a refusal is the sentence it says. */
function plainOf<T>(lower: (key: string, value: T) => object, key: string, value: T): Json {
  try {
    const text = JSON.stringify(lower(key, value), (name, member) =>
      ofEveryAttribute.includes(name) ? undefined : member,
    );
    return JSON.parse(text) as Json;
  } catch (error) {
    if (hasKind(error, 'unsupported')) return {refused: error.message};
    throw error;
  }
}

/** What the second says beside the first; null stands for what it says no more, undefined for no difference. */
export function differenceOf(plain: Json | undefined, changed: Json | undefined): Json | undefined {
  if (JSON.stringify(plain) === JSON.stringify(changed)) return undefined;
  if (changed === undefined) return null;
  if (!isObject(changed) || 'refused' in changed) return changed;
  const before = isObject(plain) ? plain : {};
  const differences = [...new Set([...Object.keys(before), ...Object.keys(changed)])].flatMap((name) => {
    const difference = differenceOf(before[name], changed[name]);
    return difference === undefined ? [] : [[name, difference] as const];
  });
  return Object.fromEntries(differences);
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
