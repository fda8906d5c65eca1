import type {Json} from '../../base/canonical-json.ts';
import type {Tree} from '../tree.ts';
import {withMember} from '../tree.ts';
import type {Hook} from '../types.ts';
import {words} from './process.ts';
import {boolean, object, type Reader, record, refine, text, textOrNull, wrong} from './readers.ts';
import {keyValues} from './short-forms.ts';

/** A command to be run in a container: of `develop.watch`, and before or after a container's life. */
export const readHook: Reader<Hook> = refine(
  object<Partial<Omit<Hook, 'command'>> & {readonly command: readonly string[] | null}>({
    command: words,
    user: text,
    privileged: boolean,
    working_dir: text,
    environment: record(textOrNull),
  }),
  (value, node, context): Hook | undefined => {
    const {command, ...rest} = value;
    if (command === undefined) return undefined;
    if (command === null || command.length === 0) {
      return wrong(node, context, {message: 'the command is empty', hint: 'write command: ["program", "argument"]'});
    }
    return {...rest, command};
  },
);

export function expandHook(node: Tree): Tree {
  return withMember(node, 'environment', keyValues(null));
}

/** As Compose prints it: what is empty or false is left out. */
export function renderHook({command, user, privileged, working_dir, environment}: Hook): Json {
  const names = Object.keys(environment ?? {}).sort((a, b) => (a < b ? -1 : 1));
  return {
    command: [...command],
    ...(user === undefined || user === '' ? {} : {user}),
    ...(privileged === true ? {privileged} : {}),
    ...(working_dir === undefined || working_dir === '' ? {} : {working_dir}),
    ...(names.length === 0 ? {} : {environment: Object.fromEntries(names.map((n) => [n, environment?.[n] ?? null]))}),
  };
}
