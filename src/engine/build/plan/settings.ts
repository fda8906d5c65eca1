import {posix} from 'node:path';
import type {HealthConfig} from '../../../api/types/container.ts';
import {parseDuration} from '../../../base/duration.ts';
import type {Command, Flag, Instruction, Keyword} from '../../../dockerfile/instruction.ts';
import {addLine, expandedText, type Reading, type StageDraft, type StepList, wordsOf} from './draft.ts';

/** What instructions are given to plan with. */
export interface Planning extends Reading {
  readonly steps: StepList;
  /** Arguments that were given to the build. */
  readonly given: Readonly<Record<string, string | undefined>>;
  /** Of the ARGs before the first FROM, and those that the builder knows. */
  readonly globals: ReadonlyMap<string, string>;
}

type Planner<K extends Keyword> = (draft: StageDraft, instruction: Instruction<K>, planning: Planning) => void;

const defaultShell = ['/bin/sh', '-c'];

/** Words of a command: a text is given to the stage's shell. */
export function commandWords({config}: StageDraft, command: Command): readonly string[] {
  if (command.form === 'list') return command.words;
  return [...(config.Shell?.length ? config.Shell : defaultShell), command.text];
}

/** As Go prints a list of quoted texts. */
function goList(words: readonly string[]): string {
  return `[${words.map(goQuoted).join(' ')}]`;
}

function goQuoted(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([01])/g, '\\x$1')
    .replace(/\\f/g, '\\f');
}

/** Instructions that change nothing but what the image says of itself (WORKDIR makes a directory, too). */
export const settingPlanners: {readonly [K in Keyword]?: Planner<K>} = {
  ARG(draft, instruction, planning) {
    const lines = instruction.arguments.map(({name, value}) => {
      const own = value === undefined ? undefined : expandedText(draft, instruction, value, planning);
      const given = Object.hasOwn(planning.given, name.text) ? planning.given[name.text] : undefined;
      const found = given ?? own ?? planning.globals.get(name.text);
      draft.arguments.add(name.text);
      if (found !== undefined) draft.variables.set(name.text, found);
      return found === undefined ? name.text : `${name.text}=${found}`;
    });
    addLine(draft, `ARG ${lines.join(' ')}`);
  },

  ENV(draft, instruction, planning) {
    const pairs = pairsOf(draft, instruction, planning);
    for (const [key, value] of pairs) {
      draft.environment.set(key, value);
      draft.variables.set(key, value);
    }
    draft.config = {...draft.config, Env: [...draft.environment].map((pair) => pair.join('='))};
    addLine(draft, `ENV ${pairs.map((pair) => pair.join('=')).join(' ')}`);
  },

  LABEL(draft, instruction, planning) {
    const pairs = pairsOf(draft, instruction, planning);
    draft.config = {...draft.config, Labels: {...draft.config.Labels, ...Object.fromEntries(pairs)}};
    addLine(draft, `LABEL ${pairs.map((pair) => pair.join('=')).join(' ')}`);
  },

  EXPOSE(draft, instruction, planning) {
    // In BuildKit's order: that of what is written, variables and ranges as such.
    const written = [...instruction.ports].sort((a, b) => (a.text < b.text ? -1 : 1));
    const ports = written.flatMap((word) => wordsOf(draft, instruction, word, planning)).flatMap(portsOf);
    const exposed = {...draft.config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}]))};
    draft.config = {...draft.config, ExposedPorts: exposed};
    addLine(draft, `EXPOSE [${ports.join(' ')}]`);
  },

  VOLUME(draft, instruction, planning) {
    const paths = instruction.paths.map((word) => expandedText(draft, instruction, word, planning));
    const volumes = {...draft.config.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}]))};
    draft.config = {...draft.config, Volumes: volumes};
    addLine(draft, `VOLUME [${paths.join(' ')}]`);
  },

  USER(draft, instruction, planning) {
    const User = expandedText(draft, instruction, instruction.value, planning);
    draft.config = {...draft.config, User};
    addLine(draft, `USER ${User}`);
  },

  WORKDIR(draft, instruction, planning) {
    const path = expandedText(draft, instruction, instruction.value, planning);
    // One that is absolute stays as it is written, as BuildKit has it.
    const WorkingDir = path.startsWith('/') ? path : posix.resolve(draft.config.WorkingDir || '/', path);
    draft.config = {...draft.config, WorkingDir};
    const text = `WORKDIR ${WorkingDir}`;
    if (WorkingDir === '/') return addLine(draft, text);
    const owner = ownerOf(draft.config.User ?? '');
    draft.result = planning.steps.add(draft, instruction, text, {
      ...{kind: 'directory', parent: draft.result, path: posix.resolve('/', WorkingDir), owner},
    });
    addLine(draft, text, draft.result);
  },

  STOPSIGNAL(draft, instruction, planning) {
    const StopSignal = expandedText(draft, instruction, instruction.value, planning);
    draft.config = {...draft.config, StopSignal};
    addLine(draft, `STOPSIGNAL ${StopSignal}`);
  },

  MAINTAINER(draft, instruction) {
    draft.author = instruction.value.text;
    addLine(draft, `MAINTAINER ${instruction.value.text}`);
  },

  SHELL(draft, instruction) {
    draft.config = {...draft.config, Shell: instruction.words};
    addLine(draft, `SHELL [${instruction.words.join(' ')}]`);
  },

  CMD(draft, instruction) {
    const Cmd = commandWords(draft, instruction.command);
    draft.config = {...draft.config, Cmd, ArgsEscaped: true};
    draft.commandIsOwn = true;
    addLine(draft, `CMD ${goList(Cmd)}`);
  },

  ENTRYPOINT(draft, instruction) {
    const Entrypoint = commandWords(draft, instruction.command);
    const Cmd = draft.commandIsOwn ? draft.config.Cmd : null;
    draft.config = {...draft.config, Entrypoint, ...(Cmd === undefined ? {} : {Cmd})};
    addLine(draft, `ENTRYPOINT ${goList(Entrypoint)}`);
  },

  HEALTHCHECK(draft, instruction) {
    const Healthcheck = healthOf(instruction);
    draft.config = {...draft.config, Healthcheck};
    addLine(draft, `HEALTHCHECK ${goHealth(Healthcheck)}`);
  },

  ONBUILD(draft, instruction) {
    draft.config = {...draft.config, OnBuild: [...(draft.config.OnBuild ?? []), instruction.text]};
  },
};

/** The values see what was set before the line. */
function pairsOf(
  draft: StageDraft,
  instruction: Instruction<'ENV' | 'LABEL'>,
  planning: Planning,
): readonly (readonly [string, string])[] {
  return instruction.pairs.map(
    ({key, value}) =>
      [expandedText(draft, instruction, key, planning), expandedText(draft, instruction, value, planning)] as const,
  );
}

function portsOf(port: string): readonly string[] {
  const [numbers = '', protocol = 'tcp'] = port.toLowerCase().split('/');
  const [first, last = first] = numbers.split('-').map(Number);
  if (first === undefined || last === undefined || !(first <= last)) return [`${numbers}/${protocol}`];
  return Array.from({length: last - first + 1}, (_, index) => `${first + index}/${protocol}`);
}

/** A number alone stands for the group of that number, too. */
export function ownerOf(user: string): string {
  return /^\d+$/.test(user) ? `${user}:${user}` : user;
}

function healthOf(instruction: Instruction<'HEALTHCHECK'>): HealthConfig {
  const {command, retries} = instruction;
  if (command === undefined) return {Test: ['NONE']};
  const nanoseconds = (flag: Flag | undefined): number => {
    const parsed = parseDuration(flag?.value ?? '');
    return parsed.ok ? parsed.nanoseconds : 0;
  };
  const Test = command.form === 'list' ? ['CMD', ...command.words] : ['CMD-SHELL', command.text];
  const times = {
    Interval: nanoseconds(instruction.interval),
    Timeout: nanoseconds(instruction.timeout),
    StartPeriod: nanoseconds(instruction.startPeriod),
    StartInterval: nanoseconds(instruction.startInterval),
    Retries: Number(retries?.value ?? 0),
  };
  return {Test, ...Object.fromEntries(Object.entries(times).filter(([, value]) => value !== 0))};
}

/** As Go prints the structure, which is what histories have. */
function goHealth({Test, Interval, Timeout, StartPeriod, StartInterval, Retries}: HealthConfig): string {
  const times = [Interval, Timeout, StartPeriod, StartInterval].map((value) => `"${goDuration(value ?? 0)}"`);
  return `&{${goList(Test ?? [])} ${times.join(' ')} '\\x${(Retries ?? 0).toString(16).padStart(2, '0')}'}`;
}

function goDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return '0s';
  const units = [
    ['ns', 1],
    ['µs', 1e3],
    ['ms', 1e6],
  ] as const;
  if (nanoseconds < 1e9) {
    const [unit, size] = units.findLast(([, least]) => nanoseconds >= least) ?? units[0];
    return `${nanoseconds / size}${unit}`;
  }
  const seconds = nanoseconds / 1e9;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  const rest = `${Number((seconds % 60).toFixed(9))}s`;
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest;
}
