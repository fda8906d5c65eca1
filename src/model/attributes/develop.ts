import type {Json} from '../../base/canonical-json.ts';
import {hasKind} from '../../base/errors.ts';
import {compileIgnore} from '../../base/ignore.ts';
import type {Tree} from '../tree.ts';
import {isNull, isText, mapItems, member, withMember} from '../tree.ts';
import type {Develop, Service, WatchRule} from '../types.ts';
import type {Attribute, FilePlace} from './attribute.ts';
import {expandHook, readHook, renderHook} from './hook.ts';
import {boolean, list, object, oneOf, type Reader, refine, text, wrong} from './readers.ts';
import {oneToList} from './short-forms.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

/** Compose's JSON has an `exec` without a command in every rule: it says nothing. */
function withoutEmptyExec(rule: Tree): Tree {
  const exec = member(rule, 'exec');
  const isEmpty =
    exec?.kind === 'mapping' && [...exec.entries].every(([name, {value}]) => name === 'command' && isNull(value));
  if (!isEmpty || rule.kind !== 'mapping') return rule;
  return {...rule, entries: new Map([...rule.entries].filter(([name]) => name !== 'exec'))};
}

function expandRule(rule: Tree, {absolute}: FilePlace): Tree {
  const placed = withMember(withoutEmptyExec(rule), 'path', (value) =>
    isText(value) && value.value !== '' ? {...value, value: absolute(value.value)} : value,
  );
  const listed = withMember(withMember(placed, 'ignore', oneToList), 'include', oneToList);
  return withMember(listed, 'exec', expandHook);
}

const patterns: Reader<readonly string[]> = list(
  refine(text, (value, node, context) => {
    try {
      compileIgnore([value]);
      return value;
    } catch (error) {
      if (!hasKind(error, 'invalid')) throw error;
      return wrong(node, context, {message: error.message, hint: 'write it as in a .dockerignore file, like **/*.log'});
    }
  }),
);

const readRule: Reader<WatchRule> = refine(
  object<Partial<WatchRule>>({
    path: refine(text, (value, node, context) =>
      value === '' ? wrong(node, context, {message: 'the path is empty', hint: 'write path: .'}) : value,
    ),
    action: oneOf('rebuild', 'restart', 'sync', 'sync+restart', 'sync+exec'),
    target: text,
    ignore: patterns,
    include: patterns,
    exec: readHook,
    initial_sync: boolean,
  }),
  (value, node, context): WatchRule | undefined => {
    const {path, action} = value;
    if (path === undefined || action === undefined) return undefined;
    if (action.startsWith('sync') && (value.target ?? '') === '') {
      return wrong(node, context, {
        message: `the action "${action}" needs a target`,
        hint: 'add target: where the files are put in the container, like /app',
      });
    }
    if (action === 'sync+exec' && value.exec === undefined) {
      return wrong(node, context, {
        message: 'the action "sync+exec" needs exec',
        hint: 'add exec: {command: […]}, what is run after the files have been put there',
      });
    }
    const idle = action === 'sync+exec' || value.exec === undefined ? undefined : 'exec';
    const late = action.startsWith('sync') || value.initial_sync !== true ? undefined : 'initial_sync';
    for (const member of [idle, late]) {
      if (member === undefined) continue;
      context.problems.warning(node.at, {
        code: 'no-effect',
        message: `${context.where}: ${member} has no effect with the action "${action}"`,
        hint: member === 'exec' ? 'write action: sync+exec' : 'write action: sync',
      });
    }
    return {
      ...value,
      path,
      action,
      ignore: value.ignore ?? [],
      include: value.include ?? [],
      initial_sync: value.initial_sync ?? false,
    };
  },
);

/** In the order of Compose. */
function renderRule({path, action, target, exec, include, ignore, initial_sync}: WatchRule): Json {
  return {
    path,
    action,
    ...(target === undefined || target === '' ? {} : {target}),
    ...(exec === undefined ? {} : {exec: renderHook(exec)}),
    ...(include.length === 0 ? {} : {include: [...include]}),
    ...(ignore.length === 0 ? {} : {ignore: [...ignore]}),
    ...(initial_sync ? {initial_sync} : {}),
  };
}

/** What is done when files change: it concerns whoever watches, never the container itself. */
const develop: Row<'develop'> = {
  expand: (node, place) => withMember(node, 'watch', (rules) => mapItems(rules, (rule) => expandRule(rule, place))),
  read: refine(object<Partial<Develop>>({watch: list(readRule)}), ({watch}): Develop => ({watch: watch ?? []})),
  spec: () => undefined,
  render: ({watch}) => (watch.length === 0 ? {} : {watch: watch.map(renderRule)}),
  change: 'none',
};

export const developAttributes = {develop} as const;
