import type {Instruction} from './instruction.ts';
import {placeIn} from './logical-line.ts';
import type {Findings, Place} from './source.ts';
import type {Word} from './words.ts';

/** A build stage: a FROM and what follows it. */
export interface Stage {
  readonly index: number;
  /** In lower case, as it is looked up. */
  readonly name?: string;
  readonly from: Instruction<'FROM'>;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile, and the ARGs before the first of them. */
export interface Stages {
  readonly globals: readonly Instruction<'ARG'>[];
  readonly stages: readonly Stage[];
}

export function groupStages(instructions: readonly Instruction[]): Stages {
  const globals: Instruction<'ARG'>[] = [];
  const stages: (Stage & {readonly instructions: Instruction[]})[] = [];
  for (const instruction of instructions) {
    const stage = stages.at(-1);
    if (instruction.keyword === 'FROM') {
      const name = instruction.stage?.text.toLowerCase();
      const named = name === undefined ? {} : {name};
      stages.push({index: stages.length, from: instruction, instructions: [], ...named});
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.keyword === 'ARG') globals.push(instruction);
  }
  return {globals, stages};
}

/** The last stage of a name before this one. Names of stages are in lower case, and FROM takes only that for one. */
export function findStage(stages: readonly Stage[], before: number, name: string): Stage | undefined {
  return stages.slice(0, before).findLast((stage) => stage.name === name);
}

/** Where a word of an instruction stands. */
export function placeOfWord({line}: Instruction, {text, at}: Word): Place {
  return placeIn(line, at, at + text.length);
}

/** Names that lead to a stage that is not built before: itself, a later one, a number that no stage has. */
export function checkStageNames({stages}: Stages, findings: Findings): void {
  for (const stage of stages) {
    for (const instruction of stage.instructions) {
      if (instruction.keyword !== 'COPY' || instruction.from === undefined) continue;
      const {value, valueAt, end} = instruction.from;
      const place = placeIn(instruction.line, valueAt, end);
      const name = value.toLowerCase();
      if (findStage(stages, stage.index, name) !== undefined) continue;
      const problem = /^\d+$/.test(value)
        ? numberProblem(Number(value), stage.index)
        : stage.name === name
          ? 'is the stage itself'
          : undefined;
      const message = `COPY: --from=${value} `;
      if (problem !== undefined) {
        findings.error(place, 'unknown-stage', message + problem, 'name a stage that comes before this one');
      } else if (stages.some((other) => other.index > stage.index && other.name === name)) {
        const hint = 'move that stage before this one, or write the whole name of an image';
        findings.warning(place, 'later-stage', `${message}is an image, as the stage of that name comes later`, hint);
      }
    }
  }
}

function numberProblem(number: number, index: number): string | undefined {
  if (number === index) return 'is the stage itself';
  return number > index ? 'is no stage before this one' : undefined;
}
