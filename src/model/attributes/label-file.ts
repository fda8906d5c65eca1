import {mapItems} from '../tree.ts';
import type {Service} from '../types.ts';
import type {Attribute} from './attribute.ts';
import {texts} from './readers.ts';
import {absoluteText, oneToList} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** What the files say is put below `labels` when the project is resolved; after that they concern nobody. */
const label_file: Row<'label_file'> = {
  expand: (node, {absolute}) => mapItems(oneToList(node), (item) => absoluteText(item, absolute)),
  merge: {append: true},
  read: texts,
  spec: () => undefined,
  change: 'recreate',
};

export const labelFileAttributes = {label_file} as const;
