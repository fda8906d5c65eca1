import {posix} from 'node:path';
import type {Instruction} from './instruction.ts';
import {parseDockerfile} from './parse.ts';
import {platformArguments} from './scope.ts';
import type {DockerfileSource} from './source.ts';
import {findStage, groupStages, type Stage, type Stages} from './stages.ts';

/** A stage that can be named as the target of a build. */
export interface TargetOutline {
  /** Absent: it has a number only. */
  readonly name?: string;
  readonly index: number;
  /** What it is built upon, as written. */
  readonly base: string;
  /** The one that is built where none is named. */
  readonly default: boolean;
  /** `# name what it is for`, directly above it. */
  readonly description?: string;
}

export interface ArgumentOutline {
  readonly name: string;
  /** As written; absent: none by itself. */
  readonly value?: string;
  readonly description?: string;
}

/** What a build of a target can be given. */
export interface BuildOutline {
  readonly target: TargetOutline;
  readonly arguments: readonly ArgumentOutline[];
  readonly secrets: readonly {readonly id: string; readonly required: boolean}[];
  readonly agents: readonly {readonly id: string; readonly required: boolean}[];
}

/** The stages of a Dockerfile. One with errors is told of as far as it can be read. */
export function listTargets(source: DockerfileSource): readonly TargetOutline[] {
  const {stages} = groupStages(parseDockerfile(source).instructions);
  return stages.map((stage) => targetOf(stage, stages.length));
}

/** What a build of the target takes; undefined: there is no such stage. Without a name it is the last stage. */
export function outlineTarget(source: DockerfileSource, target: string | undefined): BuildOutline | undefined {
  const grouped = groupStages(parseDockerfile(source).instructions);
  const {stages} = grouped;
  const wanted =
    target === undefined
      ? stages.at(-1)
      : (stages.findLast(({name}) => name === target.toLowerCase()) ??
        (/^\d+$/.test(target) ? stages[Number(target)] : undefined));
  if (wanted === undefined) return undefined;
  const needed = [...stagesOf(wanted, stages)].sort((a, b) => a.index - b.index);
  const instructions = needed.flatMap((stage) => stage.instructions);
  return {
    target: targetOf(wanted, stages.length),
    arguments: argumentsOf(grouped, needed),
    secrets: mountedKeys(instructions, 'secret'),
    agents: mountedKeys(instructions, 'ssh'),
  };
}

function targetOf({name, index, from}: Stage, count: number): TargetOutline {
  const described = name === undefined ? undefined : description(from, name);
  return {
    ...(name === undefined ? {} : {name}),
    index,
    base: from.image.text,
    default: index === count - 1,
    ...(described === undefined ? {} : {description: described}),
  };
}

/** What the comments directly above say from the line on that begins with the name: before it there may be directives. */
function description({line: {comments}}: Instruction, name: string): string | undefined {
  const wordsOf = (comment: string) => comment.split(/\s+/);
  const start = comments.findIndex((comment) => wordsOf(comment)[0]?.toLowerCase() === name.toLowerCase());
  if (start < 0) return undefined;
  const [first = '', ...more] = comments.slice(start);
  return [wordsOf(first).slice(1).join(' '), ...more].join(' ').trim() || undefined;
}

/** A stage and those that it is built upon or takes files from. */
function stagesOf(wanted: Stage, stages: readonly Stage[]): ReadonlySet<Stage> {
  const found = new Set<Stage>();
  const visit = (stage: Stage): void => {
    if (found.has(stage)) return;
    found.add(stage);
    for (const name of namesIn(stage)) {
      const index = /^\d+$/.test(name) ? Number(name) : undefined;
      const other =
        findStage(stages, stage.index, name.toLowerCase()) ??
        (index !== undefined && index < stage.index ? stages[index] : undefined);
      if (other !== undefined) visit(other);
    }
  };
  visit(wanted);
  return found;
}

function namesIn({from, instructions}: Stage): readonly string[] {
  return [
    from.image.text,
    ...instructions.flatMap((instruction) => {
      if (instruction.keyword === 'COPY') return instruction.from === undefined ? [] : [instruction.from.value];
      if (instruction.keyword !== 'RUN') return [];
      return instruction.mounts.flatMap((mount) => ('from' in mount && mount.from !== undefined ? [mount.from] : []));
    }),
  ];
}

/** Each once: what a stage says of it goes before what stands above all stages. */
function argumentsOf({globals}: Stages, stages: readonly Stage[]): readonly ArgumentOutline[] {
  const found = new Map<string, ArgumentOutline>();
  const all = [...globals, ...stages.flatMap(({instructions}) => instructions)];
  for (const instruction of all) {
    if (instruction.keyword !== 'ARG') continue;
    for (const {name, value} of instruction.arguments) {
      if (platformArguments.some((known) => known === name.text)) continue;
      const described = description(instruction, name.text);
      found.set(name.text, {
        ...found.get(name.text),
        name: name.text,
        ...(value === undefined ? {} : {value: value.text}),
        ...(described === undefined ? {} : {description: described}),
      });
    }
  }
  return [...found.values()];
}

function mountedKeys(
  instructions: readonly Instruction[],
  type: 'secret' | 'ssh',
): readonly {readonly id: string; readonly required: boolean}[] {
  const found = new Map<string, boolean>();
  for (const instruction of instructions) {
    if (instruction.keyword !== 'RUN') continue;
    for (const mount of instruction.mounts) {
      if (mount.type !== type) continue;
      const id = mount.id ?? (type === 'ssh' ? 'default' : posix.basename(mount.target ?? ''));
      found.set(id, (found.get(id) ?? false) || mount.required === true);
    }
  }
  return [...found].map(([id, required]) => ({id, required}));
}
