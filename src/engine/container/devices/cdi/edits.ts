import {realpath} from 'node:fs/promises';
import {posix} from 'node:path';
import {TscomposeError} from '../../../../base/errors.ts';
import type {SetupOperation} from '../../../helper/operations.ts';
import {type DeviceNode, readNode, ruleFor} from '../node.ts';
import type {CdiDevice} from './registry.ts';
import type {CdiEdits, CdiMount, CdiNode} from './spec.ts';

/** What devices change in a container. */
export interface DeviceEdits {
  readonly nodes: readonly DeviceNode[];
  /** Lines of devices.allow. */
  readonly rules: readonly string[];
  readonly mounts: readonly SetupOperation[];
  /** `NAME=VALUE`, over what the container itself says. */
  readonly environment: readonly string[];
  readonly groups: readonly string[];
}

/** Throws `unsupported` by name for what is not carried out, `invalid` where the machine is not as a file says. */
export async function applyCdi(devices: ReadonlyMap<string, CdiDevice>): Promise<DeviceEdits> {
  // What all devices of a file need comes once, before the first of them.
  const lists = new Set<CdiEdits>();
  for (const [name, {spec, edits}] of devices) {
    for (const list of [spec.edits, edits]) refuse(name, list);
    lists.add(spec.edits).add(edits);
  }
  const all = [...lists];
  const cdiNodes = all.flatMap(({nodes}) => nodes);
  const nodes = await Promise.all(cdiNodes.map(toNode));
  return {
    nodes,
    rules: nodes.map((node, index) => ruleFor(node, cdiNodes[index]?.permissions ?? 'rwm')),
    mounts: all.flatMap(({mounts}) => mounts.map(toMount)),
    environment: all.flatMap(({env}) => env),
    groups: [...new Set(all.flatMap(({groups}) => groups.map(String)))],
  };
}

function refuse(name: string, {refused}: CdiEdits): void {
  if (refused.length === 0) return;
  throw new TscomposeError(
    'unsupported',
    `CDI device "${name}": this engine does not support its ${refused.join(', ')}`,
    {
      hint: refused.includes('hooks') ? 'hooks are programs that would run with all rights of the machine' : undefined,
    },
  );
}

function failed(reason: string): TscomposeError {
  return new TscomposeError('invalid', `CDI device injection failed: failed to inject devices: ${reason}`);
}

/** What the file says of a device goes before what the machine's device is; without a mode everybody may open it. */
async function toNode({path, hostPath, type, major, minor, fileMode, uid, gid}: CdiNode): Promise<DeviceNode> {
  if (type === 'p') throw new TscomposeError('unsupported', `CDI device node "${path}": this engine makes no pipes`);
  const own = {source: hostPath, target: posix.resolve(path), mode: (fileMode ?? 0o666) & 0o777, uid, gid};
  const wanted = type === 'u' ? 'c' : type;
  if (wanted !== undefined && major) return {...own, type: wanted, major, minor: minor ?? 0};
  const found = await machineNode(hostPath);
  if (wanted !== undefined && wanted !== found.type)
    throw failed(`CDI device ("${path}", "${hostPath}"), host type mismatch (${wanted}, ${found.type})`);
  return {...own, type: found.type, major: found.major, minor: found.minor};
}

async function machineNode(path: string): Promise<DeviceNode> {
  let node: DeviceNode | undefined;
  try {
    node = await readNode(await realpath(path), path);
  } catch (error) {
    const {code, message} = error as NodeJS.ErrnoException;
    throw failed(
      `failed to stat CDI host device ${JSON.stringify(path)}: ${code === 'ENOENT' ? 'no such file or directory' : message}`,
    );
  }
  if (node === undefined) throw failed(`CDI host device ${JSON.stringify(path)} is not a device node`);
  return node;
}

/** Options of mount(8) as the helper knows them; those that are the default anyway are left out. */
const mountFlags: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime', 'relatime', 'strictatime'],
      ...['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'],
    ].map((name) => [name, name]),
  ),
  rbind: 'rec',
  ...Object.fromEntries(['bind', 'rw', 'suid', 'dev', 'exec', 'defaults'].map((name) => [name, ''])),
};

function toMount({hostPath, containerPath, type, options}: CdiMount): SetupOperation {
  const target = posix.resolve(containerPath);
  if (type === 'tmpfs') {
    const {flags, data} = splitOptions(options);
    return {kind: 'mount', type, source: 'tmpfs', target, flags, data};
  }
  const {flags, data} = splitOptions(options);
  if (type !== '' && type !== 'none' && type !== 'bind') throw unsupportedMount(target, `of type "${type}"`);
  if (data !== '') throw unsupportedMount(target, `with the option "${data}"`);
  return {kind: 'bind', source: hostPath, target, flags, create: 'auto'};
}

function unsupportedMount(target: string, what: string): TscomposeError {
  return new TscomposeError('unsupported', `CDI mount at "${target}": this engine does not support a mount ${what}`);
}

function splitOptions(options: readonly string[]): {readonly flags: string; readonly data: string} {
  const isFlag = (option: string): boolean => Object.hasOwn(mountFlags, option);
  return {
    flags: options.flatMap((option) => (isFlag(option) ? mountFlags[option] || [] : [])).join(','),
    data: options.filter((option) => !isFlag(option)).join(','),
  };
}
