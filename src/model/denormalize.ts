import type {Json} from '../base/canonical-json.ts';
import {nodeAt, type Tree, toPlain} from './tree.ts';

type JsonObject = {readonly [key: string]: Json};

/**
 * A printed project without what Compose adds by itself: names of resources, the default network, dependencies that
 * follow from other attributes, the usual name of a Dockerfile. What the files state (`tree`) stays.
 */
export function withoutAdditions(printed: JsonObject, tree: Tree): JsonObject {
  const stated = (...path: readonly string[]): boolean => nodeAt(tree, path) !== undefined;
  const result: Record<string, Json> = {...printed};
  result['services'] = mapMembers(printed['services'], (service, name) => {
    const kept: Record<string, Json> = {...service};
    for (const attribute of ['networks', 'depends_on']) {
      const members = filtered(service[attribute], (key) => stated('services', name, attribute, key));
      if (members === undefined) delete kept[attribute];
      else kept[attribute] = members;
    }
    const build = filtered(service['build'], (key) => key !== 'dockerfile' || stated('services', name, 'build', key));
    return build === undefined ? kept : {...kept, build};
  });
  for (const section of ['networks', 'volumes', 'configs', 'secrets']) {
    const members = filtered(printed[section], (key) => stated(section, key));
    if (members === undefined) delete result[section];
    else {
      result[section] = mapMembers(members, (member, key) => {
        const {name = null, ...rest} = member;
        return stated(section, key, 'name') ? {name, ...rest} : rest;
      });
    }
  }
  return result;
}

/** A printed project with the environment files that its services name, where these were not read. */
export function withEnvironmentFiles(printed: JsonObject, tree: Tree): JsonObject {
  const services = mapMembers(printed['services'], (service, name) => {
    const files = nodeAt(tree, ['services', name, 'env_file']);
    return files === undefined ? service : {...service, env_file: toPlain(files)};
  });
  return {...printed, services};
}

function filtered(members: Json | undefined, keep: (key: string) => boolean): JsonObject | undefined {
  if (typeof members !== 'object' || members === null) return undefined;
  const kept = Object.entries(members as JsonObject).filter(([key]) => keep(key));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function mapMembers(members: Json | undefined, change: (member: JsonObject, key: string) => JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries((members ?? {}) as JsonObject).map(([key, member]) => [key, change(member as JsonObject, key)]),
  );
}
