import type {FilePlace} from '../attributes/attribute.ts';
import {attributeTable} from '../attributes/index.ts';
import {keyValues} from '../attributes/short-forms.ts';
import type {MappingNode, Tree} from '../tree.ts';
import {isText, mapEntries, member, withMember} from '../tree.ts';

/**
 * Every short form of one file in its long form, every path absolute. With `variables` what has variables in it stays as
 * it stands: it cannot be read before they are put in place.
 */
export function expandFile(tree: Tree, place: Omit<FilePlace, 'where'>, variables = false): Tree {
  return mapEntries(tree, (section, name) => {
    const known = Object.hasOwn(sections, name) ? sections[name] : undefined;
    const expand = variables ? guarded(known) : known;
    if (expand === undefined) return section;
    return mapEntries(section, (node, key) => expand(node, {...place, where: `${name}.${key}`}));
  });
}

type Expansion = (node: Tree, place: FilePlace) => Tree;

function guarded(expand: Expansion | undefined): Expansion | undefined {
  if (expand === undefined) return undefined;
  return (node, place) =>
    mapEntries(node, (value, name) => {
      if (hasVariable(value)) return value;
      const alone: MappingNode = {kind: 'mapping', entries: new Map([[name, {key: node.at, value}]]), at: node.at};
      const expanded = expand(alone, place);
      return expanded.kind === 'mapping' ? (expanded.entries.get(name)?.value ?? value) : value;
    });
}

function hasVariable(node: Tree): boolean {
  if (node.kind === 'scalar') return typeof node.value === 'string' && node.value.includes('$');
  if (node.kind === 'sequence') return node.items.some(hasVariable);
  return [...node.entries.values()].some(({value}) => hasVariable(value));
}

function expandService(service: Tree, place: FilePlace): Tree {
  return mapEntries(service, (value, name) => {
    const {expand} = attributeTable.get(name) ?? {};
    return expand === undefined ? value : expand(value, {...place, where: `${place.where}.${name}`});
  });
}

const withLabels = (node: Tree): Tree => withMember(node, 'labels', keyValues(''));

const sections: Readonly<Record<string, (node: Tree, place: FilePlace) => Tree>> = {
  services: expandService,
  networks: withLabels,
  volumes: (node, place) => withDevicePath(withLabels(node), place),
  configs: (node, place) => withFilePath(withLabels(node), place),
  secrets: (node, place) => withFilePath(withLabels(node), place),
};

function withFilePath(node: Tree, {absolute}: FilePlace): Tree {
  return withMember(node, 'file', (value) =>
    isText(value) && value.value !== '' ? {...value, value: absolute(value.value)} : value,
  );
}

/** The device of a local volume that is a bind mount is a path too. */
function withDevicePath(node: Tree, {absolute}: FilePlace): Tree {
  const driver = member(node, 'driver');
  if (driver !== undefined && isText(driver) && driver.value !== 'local') return node;
  return withMember(node, 'driver_opts', (driverOptions) => {
    if (driverOptions.kind !== 'mapping' || !isBindMount(driverOptions)) return driverOptions;
    return withMember(driverOptions, 'device', (value) =>
      isText(value) ? {...value, value: absolute(value.value)} : value,
    );
  });
}

function isBindMount(driverOptions: MappingNode): boolean {
  const mountOptions = driverOptions.entries.get('o')?.value;
  return isText(mountOptions) && mountOptions.value.split(',').includes('bind');
}
