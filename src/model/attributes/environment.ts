import type {Tree} from '../tree.ts';
import {isText, mapItems, objectAt, withMember} from '../tree.ts';
import type {EnvFile, Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {boolean, list, object, oneOf, record, refine, text, textOrNull, wrong} from './readers.ts';
import {keyValues, oneToList} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** A variable without a value takes the one of the project's environment when the project is resolved. */
const environment: Row<'environment'> = {
  expand: keyValues(null),
  merge: {nullIsValue: true},
  read: refine(record(textOrNull), (value, node, context) => {
    const odd = Object.keys(value).find((name) => name === '' || name.includes('=') || name.includes('\0'));
    return odd === undefined
      ? value
      : wrong(node, context, {
          message: `"${odd}" cannot be the name of a variable`,
          hint: 'write NAME=value; a name has no "="',
        });
  }),
  lower: (value, {config}) => {
    // A name without "=" takes the variable of the image away.
    config.Env = Object.entries(value).map(([name, content]) => (content === null ? name : `${name}=${content}`));
  },
  change: 'recreate',
};

const path = (item: Tree): string => {
  const node = item.kind === 'mapping' ? item.entries.get('path')?.value : item;
  return node?.kind === 'scalar' ? String(node.value) : '';
};

const env_file: Row<'env_file'> = {
  expand: (node, {absolute}) =>
    mapItems(oneToList(node), (item) => {
      const long = isText(item) ? objectAt({path: item.value}, item.at) : item;
      return withMember(long, 'path', (value) => (isText(value) ? {...value, value: absolute(value.value)} : value));
    }),
  merge: {unique: path},
  read: list(
    refine(object<Partial<EnvFile>>({path: text, required: boolean, format: oneOf('raw')}), (value) =>
      value.path === undefined ? undefined : {...value, path: value.path, required: value.required ?? true},
    ),
  ),
  spec: () => undefined,
  change: 'recreate',
};

export const environmentAttributes = {environment, env_file} as const;
