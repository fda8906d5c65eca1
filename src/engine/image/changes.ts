import {posix} from 'node:path';
import type {ContainerConfig, HealthConfig} from '../../api/types/container.ts';
import {parseDuration} from '../../base/duration.ts';
import {TscomposeError} from '../../base/errors.ts';
import {jsonList} from '../../dockerfile/arguments.ts';

/** `given`: instructions of the lines before. */
type Change = (config: ContainerConfig, argument: string, line: string, given: ReadonlySet<string>) => ContainerConfig;

/** Instructions that say something about the image itself and need no build. */
const changes: Readonly<Record<string, Change>> = {
  CMD: (config, argument) => ({...config, Cmd: commandOf(argument)}),
  // A command that an earlier line gave stays.
  ENTRYPOINT: (config, argument, _line, given) => ({
    ...config,
    Entrypoint: commandOf(argument),
    ...(config.Cmd && !given.has('CMD') ? {Cmd: null} : {}),
  }),
  ENV: (config, argument, line) => ({...config, Env: mergeEnvironment(config.Env ?? [], pairs(argument, line))}),
  LABEL: (config, argument, line) => ({
    ...config,
    Labels: {...config.Labels, ...Object.fromEntries(pairs(argument, line))},
  }),
  EXPOSE: (config, argument, line) => ({
    ...config,
    ExposedPorts: {...config.ExposedPorts, ...keys(words(argument, line).map((port) => portOf(port, line)))},
  }),
  VOLUME: (config, argument, line) => ({
    ...config,
    Volumes: {...config.Volumes, ...keys(jsonList(argument) ?? words(argument, line))},
  }),
  USER: (config, argument) => ({...config, User: argument}),
  WORKDIR: (config, argument) => ({...config, WorkingDir: posix.resolve('/', config.WorkingDir ?? '', argument)}),
  STOPSIGNAL: (config, argument) => ({...config, StopSignal: argument}),
  HEALTHCHECK: (config, argument, line) => ({...config, Healthcheck: healthcheck(argument, line)}),
};

/** Applies lines as in a Dockerfile (`CMD ["sh"]`) to an image's configuration. Throws `invalid`. */
export function applyChanges(config: ContainerConfig, lines: readonly string[]): ContainerConfig {
  const given = new Set<string>();
  return lines.reduce((result, line) => {
    const match = /^\s*(\S+)\s+([\s\S]*\S)\s*$/.exec(line);
    const name = match?.[1]?.toUpperCase() ?? '';
    const change = Object.hasOwn(changes, name) ? changes[name] : undefined;
    if (!match || !change) {
      throw new TscomposeError('invalid', `"${line.trim()}" is not a valid change`, {
        hint: `one of ${Object.keys(changes).join(', ')} and its value`,
      });
    }
    const changed = change(result, match[2] ?? '', line, given);
    given.add(name);
    return changed;
  }, config);
}

function wrong(line: string, reason: string): TscomposeError {
  return new TscomposeError('invalid', `"${line.trim()}" is not a valid change: ${reason}`);
}

function commandOf(argument: string): readonly string[] {
  return jsonList(argument) ?? ['/bin/sh', '-c', argument];
}

/** Words between blanks; quotes and backslashes hold blanks together, as in a Dockerfile. */
function words(text: string, line: string): readonly string[] {
  const found: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let index = 0; index < text.length; index++) {
    const char = text.charAt(index);
    if (quote !== '' && char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) {
      quote = char;
      word ??= '';
    } else if (char === '\\' && quote !== "'" && index + 1 < text.length) word = (word ?? '') + text.charAt(++index);
    else if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else word = (word ?? '') + char;
  }
  if (quote !== '') throw wrong(line, 'a quote is not closed');
  if (word !== undefined) found.push(word);
  return found;
}

/** `a=b c="d e"`, or the old form `a b c` with one key. */
function pairs(argument: string, line: string): readonly (readonly [string, string])[] {
  const first = /^(\S+?)\s+([^=]*)$/.exec(argument);
  if (first && !(first[1] ?? '').includes('=')) return [[first[1] ?? '', first[2] ?? '']];
  return words(argument, line).map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) throw wrong(line, `"${word}" has no value`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function mergeEnvironment(before: readonly string[], given: readonly (readonly [string, string])[]): readonly string[] {
  const variables = new Map(before.map((entry) => [entry.split('=', 1)[0] ?? entry, entry]));
  for (const [key, value] of given) variables.set(key, `${key}=${value}`);
  return [...variables.values()];
}

function keys(list: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(list.map((key) => [key, {}]));
}

function portOf(text: string, line: string): string {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const port = Number(match?.[1]);
  if (!match || port < 1 || port > 65535) throw wrong(line, `"${text}" is not a port`);
  return `${port}/${(match[2] ?? 'tcp').toLowerCase()}`;
}

const durations = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
} as const;

/** `NONE`, or `--interval=5s … CMD …`. */
function healthcheck(argument: string, line: string): HealthConfig {
  let rest = argument;
  const options: Record<string, number> = {};
  for (let match = /^--([a-z-]+)=(\S+)\s+/.exec(rest); match; match = /^--([a-z-]+)=(\S+)\s+/.exec(rest)) {
    const [whole, name = '', value = ''] = match;
    if (name === 'retries' && /^\d+$/.test(value)) options['Retries'] = Number(value);
    else options[durationMember(name, line)] = durationOf(value, line);
    rest = rest.slice(whole.length);
  }
  if (/^none$/i.test(rest.trim())) return {Test: ['NONE']};
  const command = /^CMD\s+([\s\S]+)$/i.exec(rest)?.[1];
  if (command === undefined) throw wrong(line, 'it says neither NONE nor CMD');
  const list = jsonList(command.trim());
  return {Test: list ? ['CMD', ...list] : ['CMD-SHELL', command.trim()], ...options};
}

function durationMember(name: string, line: string): string {
  if (Object.hasOwn(durations, name)) return durations[name as keyof typeof durations];
  throw wrong(line, `unknown option --${name}`);
}

function durationOf(text: string, line: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw wrong(line, `"${text}" is not a duration`);
  return parsed.nanoseconds;
}
