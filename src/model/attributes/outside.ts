import {sortedMembers} from '../sorted.ts';
import {scalar} from '../tree.ts';
import type {ModelUse, Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {whole} from './limits.ts';
import {labelMap} from './process.ts';
import {boolean, object, type Reader, record, refine, text, texts, wrong} from './readers.ts';
import {keyValues, namesTo} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

const annotations: Row<'annotations'> = {
  expand: keyValues(''),
  merge: {nullIsValue: true},
  read: labelMap,
  lower: (value, {host}) => {
    if (Object.keys(value).length > 0) host.Annotations = value;
  },
  change: 'recreate',
};

const storage_opt: Row<'storage_opt'> = {
  read: labelMap,
  lower: (value, {host}) => {
    if (Object.keys(value).length > 0) host.StorageOpt = value;
  },
  change: 'recreate',
  limits: [whole('builtin', 'the built-in engine has no options of storage')],
};

const credential_spec: Row<'credential_spec'> = {
  read: object<NonNullable<Service['credential_spec']>>({config: text, file: text, registry: text}),
  lower: ({config, file, registry}, {host}) => {
    const [kind, name] =
      config === undefined ? (file === undefined ? ['registry', registry] : ['file', file]) : ['config', config];
    if (name !== undefined) host.SecurityOpt = [...(host.SecurityOpt ?? []), `credentialspec=${kind}://${name}`];
  },
  change: 'recreate',
  limits: [whole('builtin', 'it has a meaning on Windows only', 'remove it')],
};

/** A value alone is a list of one; all are texts in the end, as the program gets them. */
const readOption: Reader<readonly string[]> = (node, context) => {
  if (node.kind === 'sequence') return texts(node, context);
  const value = text(node, context);
  return value === undefined ? undefined : [value];
};

const provider: Row<'provider'> = {
  read: refine(
    object<Partial<NonNullable<Service['provider']>>>({type: text, options: record(readOption)}),
    (value, node, context) => {
      if (value.type === undefined) return undefined;
      if (value.type === '')
        return wrong(node, context, {message: 'the type is empty', hint: 'write type: the name of the program'});
      return {...value, type: value.type};
    },
  ),
  render: ({type, options = {}}) => ({
    type,
    ...(Object.keys(options).length === 0 ? {} : {options: sortedMembers(options)}),
  }),
  change: 'none',
  limits: [
    whole(
      'tscompose',
      'programs that provide services are not run yet',
      'run the program yourself, and remove the service',
    ),
  ],
};

const models: Row<'models'> = {
  expand: namesTo((name) => scalar(null, name.at)),
  read: (node, context) => {
    if (node.kind !== 'mapping') return undefined;
    const read = object<ModelUse>({endpoint_var: text, model_var: text});
    return Object.fromEntries(
      [...node.entries].map(([name, {value}]) => [
        name,
        value.kind === 'mapping' ? (read(value, context) ?? {}) : null,
      ]),
    );
  },
  change: 'recreate',
  limits: [
    whole(
      'tscompose',
      'AI models are not run yet',
      'run the model yourself, and give the service its address with "environment"',
    ),
  ],
};

const use_api_socket: Row<'use_api_socket'> = {
  read: boolean,
  spec: (value) => value || undefined,
  change: 'recreate',
  limits: [whole('tscompose', 'the socket of an engine is not given to containers')],
};

export const outsideAttributes = {
  annotations,
  storage_opt,
  credential_spec,
  provider,
  models,
  use_api_socket,
} as const;
