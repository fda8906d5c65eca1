import {posix} from 'node:path';
import type {Json} from '../../base/canonical-json.ts';
import type {Tree} from '../tree.ts';
import type {FileObject, FileReference, Service} from '../types.ts';
import type {Attribute, LowerContext} from './attribute.ts';
import {list, object, type Reader, refine, text, wrong} from './readers.ts';
import {textItemsTo} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;
export type FileKind = 'configs' | 'secrets';

/** A number is meant as it is, text is octal, as Compose reads it. */
export const readMode: Reader<number> = (node, context) => {
  const value = node.kind === 'scalar' ? node.value : undefined;
  if (typeof value === 'string') {
    if (/^0?o?[0-7]{1,4}$/.test(value)) return Number.parseInt(value.replace('o', ''), 8);
    return wrong(node, context, {message: `"${value}" is not a file mode`, hint: 'write octal digits, like "0440"'});
  }
  if (typeof value !== 'number' || !Number.isInteger(value)) return undefined;
  const written = node.at.source.text.slice(node.at.start, node.at.end);
  if (/^[1-7][0-7]{2}$/.test(written)) {
    context.problems.warning(node.at, {
      code: 'decimal-mode',
      message: `${context.where}: ${written} is a decimal number, in octal 0${value.toString(8)}`,
      hint: `write 0${written} where that mode is meant`,
    });
  }
  return value >= 0 && value <= 0o7777
    ? value
    : wrong(node, context, {message: `${value} is not a file mode`, hint: 'write octal digits, like 0440'});
};

const directories = {configs: '/', secrets: '/run/secrets'} as const;

function targetPath(kind: FileKind, source: string, target: string | undefined): string {
  return posix.resolve(directories[kind], target ?? source);
}

function referenceReader(kind: FileKind): Reader<readonly FileReference[]> {
  return list(
    refine(
      object<Partial<FileReference>>({source: text, target: text, uid: text, gid: text, mode: readMode}),
      (value, node, context): FileReference | undefined => {
        if (value.source === undefined) return undefined;
        for (const name of ['uid', 'gid'] as const) {
          const id = value[name];
          if (id !== undefined && !/^\d+$/.test(id))
            wrong(node, context, {
              message: `${name} "${id}" is not a number`,
              hint: 'names are not known outside the container: write a number',
            });
        }
        return {...value, source: value.source, target: targetPath(kind, value.source, value.target)};
      },
    ),
  );
}

function sameTarget(kind: FileKind): (item: Tree) => string {
  return (item) => {
    const get = (name: string): string | undefined => {
      const node = item.kind === 'mapping' ? item.entries.get(name)?.value : undefined;
      return node?.kind === 'scalar' && node.value !== null ? String(node.value) : undefined;
    };
    return targetPath(kind, get('source') ?? '', get('target'));
  };
}

/** What is kept of a file: never its content. */
function specOf(kind: FileKind, value: readonly FileReference[], {project}: LowerContext): Json | undefined {
  if (value.length === 0) return undefined;
  return value.map((reference) => {
    const origin: FileObject | undefined = project[kind][reference.source];
    return {...reference, ...(origin?.digest === undefined ? {} : {digest: origin.digest})};
  });
}

function renderReferences(kind: FileKind): (value: readonly FileReference[]) => Json {
  return (value) =>
    value.map(({source, target, uid, gid, mode: bits}) => ({
      source,
      ...(kind === 'configs' && target === `/${source}` ? {} : {target}),
      ...(uid === undefined ? {} : {uid}),
      ...(gid === undefined ? {} : {gid}),
      ...(bits === undefined ? {} : {mode: `0${bits.toString(8)}`}),
    }));
}

function fileRow(kind: FileKind): Attribute<readonly FileReference[]> {
  return {
    expand: textItemsTo('source'),
    merge: {unique: sameTarget(kind)},
    read: referenceReader(kind),
    spec: (value, context) => specOf(kind, value, context),
    render: renderReferences(kind),
    change: 'recreate',
  };
}

const configs: Row<'configs'> = fileRow('configs');
const secrets: Row<'secrets'> = fileRow('secrets');

export const fileAttributes = {configs, secrets} as const;
