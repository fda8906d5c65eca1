import {type Flag, type GlobalFlags, globalFlags} from './command.ts';

/** Global flags that say which stack and which engine are meant. */
const naming: readonly (keyof typeof globalFlags)[] = [
  'file',
  'project-name',
  'project-directory',
  'env-file',
  'profile',
  'root',
  'host',
];

/** A command as a person types it for the same stack: `tscompose -f dev.yaml up -d`. */
export function retyped(global: GlobalFlags, words: readonly string[]): string {
  const flags = naming.flatMap((name) => {
    const flag: Flag = globalFlags[name];
    const value = global[name as keyof GlobalFlags] as string | readonly string[] | undefined;
    const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
    return values.flatMap((of: string) => [flag.short === undefined ? `--${name}` : `-${flag.short}`, quoted(of)]);
  });
  return ['tscompose', ...flags, ...words.map(quoted)].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
