import {ExpansionError, expand} from '../../../dockerfile/expand.ts';
import type {Instruction} from '../../../dockerfile/instruction.ts';
import {type Heredoc, placeIn} from '../../../dockerfile/logical-line.ts';
import {expandWord} from '../../../dockerfile/scope.ts';
import type {Findings, Place} from '../../../dockerfile/source.ts';
import type {Word} from '../../../dockerfile/words.ts';
import type {Step, StepId} from '../steps.ts';
import type {BuildConfig, HistoryEntry} from '../types.ts';

/** A line of the history to be: with a layer, it is that of a step. */
export interface DraftedLine {
  readonly text: string;
  /** Undefined: no layer belongs to it. */
  readonly step: StepId | undefined;
}

/** Which image it is. */
export interface BaseSource {
  /** As it is written. */
  readonly reference: string;
  readonly id: string;
  /** What its name stands for in a registry; else its id. */
  readonly digest: string;
  readonly layers: number;
}

/** An image that a stage begins with, as far as the plan needs it. */
export interface BaseImage {
  /** Absent: nothing is below. */
  readonly source?: BaseSource;
  readonly config: BuildConfig;
  readonly author: string | undefined;
  readonly history: readonly HistoryEntry[];
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

/** A stage while its instructions are gone through; afterwards, what it makes. */
export interface StageDraft {
  readonly name: string;
  /** Before its name where steps are shown: of several platforms which one. */
  readonly shownFor: string;
  readonly base: BaseImage;
  /** The step whose result is the stage's. Undefined: nothing. */
  result: StepId | undefined;
  config: BuildConfig;
  author: string | undefined;
  readonly lines: DraftedLine[];
  /** Names of the arguments that were declared, in their order. */
  readonly arguments: Set<string>;
  /** What `$name` means at this point: of the environment and of arguments, whichever came last. */
  readonly variables: Map<string, string>;
  /** What containers of the image get. */
  readonly environment: Map<string, string>;
  /** A CMD of this very stage: an ENTRYPOINT takes away one that comes from below. */
  commandIsOwn: boolean;
  /** Titles are numbered at the end, when it is known how many there are. */
  readonly steps: StepId[];
  /** The place of steps whose own one is in no file. */
  at: Place | undefined;
  readonly fresh: boolean;
}

/** What every instruction is read with. */
export interface Reading {
  readonly escapeToken: string;
  readonly findings: Findings;
}

/** The word with its variables put in; problems are told, and the text is then empty. */
export function expandedText(draft: StageDraft, instruction: Instruction, word: Word, reading: Reading): string {
  return expanded(draft, instruction, word, reading).text;
}

/** The same, split at blanks. */
export function wordsOf(draft: StageDraft, instruction: Instruction, word: Word, reading: Reading): readonly string[] {
  return expanded(draft, instruction, word, reading).words;
}

function expanded(
  draft: StageDraft,
  instruction: Instruction,
  word: Word,
  {escapeToken, findings}: Reading,
): {readonly text: string; readonly words: readonly string[]} {
  const scope = {variables: draft.variables, complete: true};
  return expandWord(instruction, word, {scope, escapeToken, findings}) ?? {text: '', words: []};
}

/** An instruction as it is shown: with the values of variables that are known, without its keyword. */
export function shownText(draft: StageDraft, {line}: Instruction, {escapeToken}: Reading): string {
  // One blank goes with the keyword: the others are shown.
  const text = line.text.trim().replace(/^\S+ ?/, '');
  const {variables} = draft;
  try {
    const known = (name: string) => variables.get(name) ?? `$${name}`;
    return expand(text, {escapeToken, variables: known, quotesAreText: true, escapesAreText: true}).text;
  } catch {
    return text;
  }
}

/** A here-document's body, where its word was not quoted: escapes go, whatever follows them, as with BuildKit. Problems are told, and it is then empty. */
export function bodyOf(
  draft: StageDraft,
  {keyword}: Instruction,
  {content, line}: Pick<Heredoc, 'content' | 'line'>,
  {findings}: Reading,
): string {
  const {variables} = draft;
  try {
    // Whatever the escape of the file is.
    return expand(content, {escapeToken: '\\', variables: (name) => variables.get(name), quotesAreText: true}).text;
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    const before = content.slice(0, error.at).split('\n');
    const place = {line: line + before.length - 1, column: (before.at(-1) ?? '').length + 1, length: 1};
    findings.error(place, 'invalid-variable', `${keyword}: ${error.message}`, error.hint);
    return '';
  }
}

export function addLine(draft: StageDraft, text: string, step?: StepId): void {
  draft.lines.push({text, step});
}

/** A step of any kind without what the list of steps adds. */
export type NewStep = Step extends infer S
  ? S extends Step
    ? Omit<S, 'id' | 'title' | 'stage' | 'place' | 'written' | 'fresh'>
    : never
  : never;

/** All steps of a build, as they are planned. */
export class StepList {
  readonly #steps: Step[] = [];

  /** `text`: as it is shown. */
  add(draft: StageDraft, instruction: Instruction, text: string, step: NewStep): StepId {
    const id = this.#steps.length;
    const {line} = instruction;
    const common = {
      id,
      title: text,
      stage: draft.name,
      place: draft.at ?? placeIn(line, 0, line.text.length),
      written: line.text,
      // BuildKit takes directories from the cache all the same.
      fresh: draft.fresh && step.kind !== 'directory',
    };
    this.#steps.push({...step, ...common} as Step);
    draft.steps.push(id);
    return id;
  }

  /** An image that is only copied from. */
  addImage(draft: StageDraft, instruction: Instruction, {reference, id: image}: BaseSource): StepId {
    const known = this.#steps.find((step) => step.kind === 'image' && step.image === image);
    if (known !== undefined) return known.id;
    const id = this.add(draft, instruction, `FROM ${reference}`, {kind: 'image', image});
    draft.steps.pop();
    return id;
  }

  /** With numbers in their titles, and the names of stages where the file has several. `plans`: the stages of each platform. */
  finish(plans: readonly (readonly StageDraft[])[], named: boolean): readonly Step[] {
    const titles = new Map<StepId, string>();
    for (const drafts of plans) {
      for (const {name, shownFor, steps} of drafts) {
        for (const [index, id] of steps.entries())
          titles.set(id, `[${shownFor}${named ? `${name} ` : ''}${index + 1}/${steps.length}] `);
      }
    }
    return this.#steps.map((step) => ({...step, title: `${titles.get(step.id) ?? ''}${step.title}`}));
  }
}
