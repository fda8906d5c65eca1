import type {Flag} from './instruction.ts';

/** What a `RUN --mount=…` says, its keys under one name each; values may still have variables. */
export interface Mount {
  readonly type: MountType;
  readonly flag: Flag;
  readonly from?: string;
  readonly source?: string;
  readonly target?: string;
  readonly readOnly?: boolean;
  readonly id?: string;
  readonly sharing?: string;
  readonly required?: boolean;
  readonly size?: string;
  readonly mode?: string;
  readonly uid?: string;
  readonly gid?: string;
  readonly env?: string;
}

const mountTypes = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'] as const;
export type MountType = (typeof mountTypes)[number];

/** Keys that mean the same. */
const keys: Readonly<Record<string, keyof Mount>> = {
  type: 'type',
  from: 'from',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  ro: 'readOnly',
  readonly: 'readOnly',
  rw: 'readOnly',
  readwrite: 'readOnly',
  required: 'required',
  id: 'id',
  sharing: 'sharing',
  size: 'size',
  mode: 'mode',
  uid: 'uid',
  gid: 'gid',
  env: 'env',
};

/** Keys that only some types have. */
const typesOf: Partial<Readonly<Record<keyof Mount, readonly MountType[]>>> = {
  from: ['bind', 'cache'],
  sharing: ['cache'],
  size: ['tmpfs'],
  mode: ['cache', 'secret', 'ssh'],
  uid: ['cache', 'secret', 'ssh'],
  gid: ['cache', 'secret', 'ssh'],
  required: ['secret', 'ssh'],
};

const switches = new Set<keyof Mount>(['readOnly', 'required']);

export interface MountProblem {
  readonly message: string;
  readonly hint: string;
}

/** Reads the comma-separated fields of a mount; a list of problems where they make none. */
export function readMount(flag: Flag): {readonly mount?: Mount; readonly problems: readonly MountProblem[]} {
  const values: Partial<Record<keyof Mount, string | boolean>> = {};
  const problems: MountProblem[] = [];
  for (const field of csvFields(flag.value)) {
    const problem = readField(field, values);
    if (problem !== undefined) problems.push(problem);
  }
  const type = String(values.type ?? 'bind').toLowerCase();
  const known = mountTypes.find((name) => name === type);
  if (known === undefined) {
    problems.push({message: `"${type}" is no type of mount`, hint: `write one of ${mountTypes.join(', ')}`});
    return {problems};
  }
  problems.push(...misplaced(known, values), ...missing(known, values), ...malformed(values));
  return problems.length > 0 ? {problems} : {mount: {...values, type: known, flag} as Mount, problems};
}

function readField(field: string, values: Partial<Record<keyof Mount, string | boolean>>): MountProblem | undefined {
  const equals = field.indexOf('=');
  const written = equals < 0 ? field : field.slice(0, equals);
  const name = written.trim().toLowerCase();
  const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (key === undefined) {
    const hint = `keys are ${Object.keys(keys).join(', ')}`;
    return {message: `"${written}" is no key of a mount`, hint};
  }
  if (!switches.has(key)) {
    if (equals < 0) return {message: `"${written}" has no value`, hint: `write ${name}=…`};
    values[key] = field.slice(equals + 1);
    return undefined;
  }
  const value = equals < 0 ? true : booleans.get(field.slice(equals + 1).toLowerCase());
  if (value === undefined) return {message: `"${field}" is neither true nor false`, hint: `write ${name}=true`};
  values[key] = name === 'rw' || name === 'readwrite' ? !value : value;
  return undefined;
}

const booleans = new Map<string, boolean>([
  ['true', true],
  ['1', true],
  ['t', true],
  ['false', false],
  ['0', false],
  ['f', false],
]);

function misplaced(type: MountType, values: Partial<Record<keyof Mount, unknown>>): readonly MountProblem[] {
  return Object.keys(values).flatMap((key) => {
    const types = typesOf[key as keyof Mount];
    if (types === undefined || types.includes(type)) return [];
    return [{message: `a mount of type ${type} has no "${key}"`, hint: `remove it: it belongs to ${types.join(', ')}`}];
  });
}

/** The form of what has no variable in it. */
const forms: Partial<Readonly<Record<keyof Mount, {readonly form: RegExp; readonly hint: string}>>> = {
  from: {form: /^[^$]*$/, hint: 'name a stage with FROM that image AS name, and mount from the name'},
  sharing: {form: /^(?:shared|private|locked)$/, hint: 'write shared, private or locked'},
  mode: {form: /^[0-7]{1,5}$/, hint: 'write it in octal, such as 0755'},
  uid: {form: /^\d{1,10}$/, hint: 'write a number'},
  gid: {form: /^\d{1,10}$/, hint: 'write a number'},
  size: {form: /^\d+(?:\.\d+)? ?(?:[kmgtp]i?b?|b)?$/i, hint: 'write a number of bytes, such as 64m'},
};

function malformed(values: Partial<Record<keyof Mount, unknown>>): readonly MountProblem[] {
  return Object.entries(forms).flatMap(([key, {form, hint}]) => {
    const value = values[key as keyof Mount];
    if (typeof value !== 'string' || form.test(value) || (key !== 'from' && value.includes('$'))) return [];
    return [{message: key === 'from' ? '"from" cannot have variables' : `"${value}" is no ${key}`, hint}];
  });
}

function missing(type: MountType, values: Partial<Record<keyof Mount, unknown>>): readonly MountProblem[] {
  const {target, source, id} = values;
  if (type === 'secret' && [target, source, id].every((value) => value === undefined)) {
    return [{message: 'a mount of type secret names no secret', hint: 'write id=name'}];
  }
  if (type === 'secret' && source !== undefined && id !== undefined) {
    return [{message: '"source" and "id" both name the secret', hint: 'remove one of them'}];
  }
  if (type === 'secret' || type === 'ssh' || (target !== undefined && target !== '')) return [];
  return [{message: `a mount of type ${type} needs a target`, hint: 'write target=/path'}];
}

/** Fields of one CSV record (RFC 4180): a quoted one may have commas. */
function csvFields(text: string): readonly string[] {
  return [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) =>
    match[1] === undefined ? (match[2] ?? '') : match[1].replaceAll('""', '"'),
  );
}
