/** A file of the Container Device Interface (cncf-tags.io, SPEC.md): what devices of one kind need in a container. */
export interface CdiSpec {
  /** `vendor.com/class`. */
  readonly kind: string;
  /** What every device of the file needs. */
  readonly edits: CdiEdits;
  readonly devices: ReadonlyMap<string, CdiEdits>;
}

export interface CdiEdits {
  readonly env: readonly string[];
  readonly nodes: readonly CdiNode[];
  readonly mounts: readonly CdiMount[];
  readonly groups: readonly number[];
  /** Members that say something and are not carried out. */
  readonly refused: readonly string[];
}

export interface CdiNode {
  readonly path: string;
  readonly hostPath: string;
  readonly type?: 'c' | 'b' | 'u' | 'p';
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly permissions: string;
  readonly uid: number;
  readonly gid: number;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type: string;
  readonly options: readonly string[];
}

const versions: ReadonlySet<string> = new Set([
  ...['0.1.0', '0.2.0', '0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0'],
]);
const kindForm = /^[A-Za-z](?:[\w.-]*[A-Za-z0-9])?\/[A-Za-z](?:[\w-]*[A-Za-z0-9])?$/;
const nameForm = /^[A-Za-z0-9](?:[\w.:-]*[A-Za-z0-9])?$/;

type Members = Readonly<Record<string, unknown>>;

/** Checks what was read from a file. Throws an Error that says what is wrong: a file with a fault counts for nothing. */
export function parseCdiSpec(value: unknown): CdiSpec {
  const spec = object(value, 'the file', ['cdiVersion', 'kind', 'annotations', 'devices', 'containerEdits']);
  const version = text(spec['cdiVersion'], 'cdiVersion').replace(/^v/, '');
  if (!versions.has(version)) throw new Error(`unknown cdiVersion "${version}"`);
  const kind = text(spec['kind'], 'kind');
  if (!kindForm.test(kind)) throw new Error(`kind "${kind}" is not of the form vendor.com/class`);
  const devices = new Map<string, CdiEdits>();
  for (const [index, item] of list(spec['devices'], 'devices').entries()) {
    const where = `devices[${index}]`;
    const device = object(item, where, ['name', 'annotations', 'containerEdits']);
    const name = text(device['name'], `${where}.name`);
    if (!nameForm.test(name)) throw new Error(`${where}.name "${name}" is not the name of a device`);
    if (devices.has(name)) throw new Error(`two devices have the name "${name}"`);
    devices.set(name, parseEdits(device['containerEdits'], `${where}.containerEdits`));
  }
  return {kind, devices, edits: parseEdits(spec['containerEdits'], 'containerEdits')};
}

const carriedOut = ['env', 'deviceNodes', 'mounts', 'additionalGids'] as const;
const notCarriedOut = ['hooks', 'netDevices', 'intelRdt'] as const;

function parseEdits(value: unknown, where: string): CdiEdits {
  const edits = object(value ?? {}, where, [...carriedOut, ...notCarriedOut]);
  return {
    env: list(edits['env'], `${where}.env`).map((item) => {
      const entry = text(item, `${where}.env`);
      if (!/^[^=\0]+=[^\0]*$/.test(entry)) throw new Error(`${where}.env: "${entry}" is not of the form NAME=VALUE`);
      return entry;
    }),
    nodes: list(edits['deviceNodes'], `${where}.deviceNodes`).map((node, index) =>
      parseNode(node, `${where}.deviceNodes[${index}]`),
    ),
    mounts: list(edits['mounts'], `${where}.mounts`).map((mount, index) =>
      parseMount(mount, `${where}.mounts[${index}]`),
    ),
    // Group 0 is what every process of root has anyway, as other tools see it.
    groups: list(edits['additionalGids'], `${where}.additionalGids`)
      .map((gid) => number(gid, `${where}.additionalGids`) ?? 0)
      .filter((gid) => gid > 0),
    refused: notCarriedOut.filter((name) => saysSomething(edits[name])),
  };
}

function saysSomething(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return !Array.isArray(value) || value.length > 0;
}

const nodeMembers = ['path', 'hostPath', 'type', 'major', 'minor', 'fileMode', 'permissions', 'uid', 'gid'] as const;

function parseNode(value: unknown, where: string): CdiNode {
  const node = object(value, where, nodeMembers);
  const path = absolute(node['path'], `${where}.path`);
  const type = optionalText(node['type'], `${where}.type`);
  const permissions = optionalText(node['permissions'], `${where}.permissions`) || 'rwm';
  if (!['', 'c', 'b', 'u', 'p'].includes(type)) throw new Error(`${where}.type: unknown type "${type}"`);
  if (!/^[rwm]{1,3}$/.test(permissions)) throw new Error(`${where}.permissions: "${permissions}" is not of r, w and m`);
  const numbers = {
    major: number(node['major'], `${where}.major`),
    minor: number(node['minor'], `${where}.minor`),
    fileMode: number(node['fileMode'], `${where}.fileMode`),
  };
  return {
    path,
    hostPath: node['hostPath'] ? absolute(node['hostPath'], `${where}.hostPath`) : path,
    permissions,
    uid: number(node['uid'], `${where}.uid`) ?? 0,
    gid: number(node['gid'], `${where}.gid`) ?? 0,
    ...(type === '' ? {} : {type: type as NonNullable<CdiNode['type']>}),
    ...(numbers.major === undefined ? {} : {major: numbers.major}),
    ...(numbers.minor === undefined ? {} : {minor: numbers.minor}),
    ...(numbers.fileMode === undefined ? {} : {fileMode: numbers.fileMode}),
  };
}

function parseMount(value: unknown, where: string): CdiMount {
  const mount = object(value, where, ['hostPath', 'containerPath', 'type', 'options']);
  return {
    hostPath: text(mount['hostPath'], `${where}.hostPath`),
    containerPath: absolute(mount['containerPath'], `${where}.containerPath`),
    type: optionalText(mount['type'], `${where}.type`),
    options: list(mount['options'], `${where}.options`).map((option) => text(option, `${where}.options`)),
  };
}

function object<K extends string>(value: unknown, where: string, known: readonly K[]): {readonly [P in K]?: unknown} {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${where} is not a mapping`);
  const unknown = Object.keys(value).find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`${where}: unknown member "${unknown}"`);
  return value as Members as {readonly [P in K]?: unknown};
}

function list(value: unknown, where: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Error(`${where} is not a list`);
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string' || value === '') throw new Error(`${where} is not a text`);
  return value;
}

function optionalText(value: unknown, where: string): string {
  return value === undefined || value === null || value === '' ? '' : text(value, where);
}

function absolute(value: unknown, where: string): string {
  const path = text(value, where);
  if (!path.startsWith('/') || path.includes('\0')) throw new Error(`${where}: "${path}" is not an absolute path`);
  return path;
}

function number(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xfffffffe)
    throw new Error(`${where} is not a whole number`);
  return value;
}
