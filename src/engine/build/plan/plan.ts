import type {BuildBody} from '../../../api/types/build.ts';
import type {Diagnostic} from '../../../base/diagnostic.ts';
import {toTscomposeError} from '../../../base/errors.ts';
import type {Instruction} from '../../../dockerfile/instruction.ts';
import {placeIn} from '../../../dockerfile/logical-line.ts';
import type {Dockerfile} from '../../../dockerfile/parse.ts';
import {parseDockerfile} from '../../../dockerfile/parse.ts';
import {expandWord} from '../../../dockerfile/scope.ts';
import {createFindings, type DockerfileSource, type Findings, type Place} from '../../../dockerfile/source.ts';
import {findStage, groupStages, type Stage, type Stages} from '../../../dockerfile/stages.ts';
import {formatPlatform, type Platform, parsePlatform} from '../../image/platform.ts';
import {atPlace} from '../at-place.ts';
import type {Origin} from '../steps.ts';
import {addLine, type BaseImage, type BaseSource, type StageDraft, type StepList} from './draft.ts';
import {type FilesPlanning, planFiles} from './files.ts';
import {contextNamed} from './named-context.ts';
import {noImage} from './no-image.ts';
import {pinOf} from './pins.ts';
import {planRun, type RunPlanning} from './run.ts';
import {type Planning, settingPlanners} from './settings.ts';

/** A build as steps, and the stages that they belong to. */
export interface BuildPlan {
  readonly target: StageDraft;
  /** That lead to it, it among them. */
  readonly stages: readonly StageDraft[];
  /** Whether the file has several. */
  readonly isNamed: boolean;
  /** Images that are built upon or copied from. */
  readonly images: readonly BaseImage[];
  /** What SOURCE_DATE_EPOCH says. */
  readonly epoch: string | undefined;
  readonly warnings: readonly Diagnostic[];
  /** Of the Dockerfile and its arguments; a plan with some is not to be carried out. */
  readonly errors: readonly Diagnostic[];
}

export type PlanRequest = Pick<
  BuildBody,
  'target' | 'arguments' | 'contexts' | 'noCache' | 'network' | 'allow' | 'secrets' | 'pins'
> & {
  readonly source: DockerfileSource;
  readonly dockerfile: Dockerfile;
  readonly platform: Platform;
  readonly machine: Platform;
  /** Of the plans of all platforms. */
  readonly steps: StepList;
  /** Whether there are others: then it is told which one a step is for. */
  readonly isOneOfSeveral: boolean;
  /** What an image says of itself. Throws `notFound`, also for one of another platform than its stage asks for. */
  readonly image: (
    reference: string,
    platform: Platform | undefined,
  ) => Promise<BaseImage & {readonly source: BaseSource}>;
};

/** Plans the stages that lead to the target, and no others. Nothing is done yet. */
export async function planBuild(request: PlanRequest): Promise<BuildPlan> {
  const findings = createFindings(request.source);
  const stages = groupStages(request.dockerfile.instructions);
  const planner = new Planner(request, stages, findings);
  const target = await planner.target();
  const problems = findings.found;
  return {
    target: target ?? planner.nothing(),
    stages: planner.stages(),
    isNamed: planner.isNamed(),
    images: planner.images(),
    epoch: planner.epoch(),
    warnings: problems.filter(({severity}) => severity === 'warning'),
    errors: problems.filter(({severity}) => severity === 'error'),
  };
}

/** As BuildKit has it for what is built on nothing. */
const emptyConfig = {Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'], WorkingDir: '/'};

type StagePlanning = FilesPlanning & RunPlanning;

class Planner {
  readonly #request: PlanRequest;
  readonly #stages: Stages;
  readonly #findings: Findings;
  readonly #list: StepList;
  readonly #images = new Map<string, BaseImage>();
  readonly #drafts = new Map<Stage, Promise<StageDraft>>();
  readonly #done: StageDraft[] = [];
  readonly #globals: ReadonlyMap<string, string>;

  constructor(request: PlanRequest, stages: Stages, findings: Findings) {
    this.#request = request;
    this.#list = request.steps;
    this.#stages = stages;
    this.#findings = findings;
    this.#globals = this.#readGlobals();
  }

  async target(): Promise<StageDraft | undefined> {
    const {target = ''} = this.#request;
    const {stages} = this.#stages;
    const byName = stages.findLast(({name}) => name === target.toLowerCase());
    const wanted =
      target === '' ? stages.at(-1) : (byName ?? (/^\d+$/.test(target) ? stages[Number(target)] : undefined));
    if (wanted !== undefined) return await this.#plan(wanted);
    const names = stages.map(({name, index}) => name ?? String(index)).join(', ');
    this.#findings.error(
      {line: 1, column: 1, length: 1},
      'unknown-target',
      `no stage is called "${target}"`,
      `stages are ${names}`,
    );
    return undefined;
  }

  isNamed(): boolean {
    return this.#stages.stages.length > 1;
  }

  stages(): readonly StageDraft[] {
    return this.#done;
  }

  images(): readonly BaseImage[] {
    return [...this.#images.values()];
  }

  epoch(): string | undefined {
    const name = 'SOURCE_DATE_EPOCH';
    const {arguments: given} = this.#request;
    return Object.hasOwn(given, name) ? given[name] : this.#globals.get(name);
  }

  nothing(): StageDraft {
    return this.#draft('', this.#scratch());
  }

  #scratch(platform = this.#request.platform): BaseImage {
    const {os, architecture, variant} = platform;
    return {config: emptyConfig, author: undefined, history: [], os, architecture, variant};
  }

  #draft(name: string, base: BaseImage, from?: StageDraft): StageDraft {
    const environment = new Map((base.config.Env ?? []).map((entry) => splitEntry(entry)));
    const {noCache, isOneOfSeveral, platform} = this.#request;
    return {
      name,
      shownFor: isOneOfSeveral ? `${formatPlatform(platform)} ` : '',
      base: from?.base ?? base,
      result: from?.result,
      config: from?.config ?? base.config,
      author: from?.author ?? base.author,
      lines: [...(from?.lines ?? [])],
      arguments: new Set(from?.arguments),
      variables: new Map(from?.variables ?? environment),
      environment: from === undefined ? environment : new Map(from.environment),
      commandIsOwn: false,
      steps: [],
      at: undefined,
      fresh: noCache === true || (Array.isArray(noCache) && noCache.some((wanted) => wanted.toLowerCase() === name)),
    };
  }

  #plan(stage: Stage): Promise<StageDraft> {
    const known = this.#drafts.get(stage) ?? this.#planStage(stage);
    this.#drafts.set(stage, known);
    return known;
  }

  async #planStage(stage: Stage): Promise<StageDraft> {
    const draft = await this.#begin(stage);
    const triggers = draft.config.OnBuild ?? [];
    if (triggers.length > 0) draft.config = {...draft.config, OnBuild: null};
    const planning = this.#planning(stage);
    // Where a trigger is written is not known here: its steps are at the FROM that brings it.
    draft.at = placeIn(stage.from.line, 0, stage.from.line.text.length);
    for (const trigger of triggers) await this.#instruct(draft, stage, {...planning, ...this.#trigger(trigger)});
    draft.at = undefined;
    for (const instruction of stage.instructions) await this.#dispatch(draft, instruction, planning);
    this.#done.push(draft);
    return draft;
  }

  async #begin(stage: Stage): Promise<StageDraft> {
    const name = stage.name ?? `stage-${stage.index}`;
    const {from} = stage;
    const {escape: escapeToken} = this.#request.dockerfile.directives;
    const scope = {variables: this.#globals, complete: true};
    const expanded = expandWord(from, from.image, {scope, escapeToken, findings: this.#findings});
    const image = expanded?.text ?? '';
    if (image === '') {
      if (expanded !== undefined)
        this.#findings.error(
          this.#imagePlace(stage),
          'empty-image',
          'FROM names no image once its variables are put in',
          'give the argument a value with --build-arg, or a default',
        );
      return this.#draft(name, this.#scratch());
    }
    const named = contextNamed(this.#request.contexts, image);
    const context = named === undefined ? undefined : this.#request.contexts[named];
    const below = context === undefined ? findStage(this.#stages.stages, stage.index, image.toLowerCase()) : undefined;
    if (below !== undefined) {
      const base = await this.#plan(below);
      return this.#draft(name, base.base, base);
    }
    if (image === 'scratch') return this.#draft(name, this.#scratch(this.#platformOf(stage)));
    if (context !== undefined && context.kind !== 'image')
      return await this.#beginWithDirectory(stage, name, named ?? image);
    const place = this.#imagePlace(stage);
    const reference = context === undefined ? this.#pinned(image, place) : context.reference;
    if (reference === undefined) return this.#draft(name, this.#scratch());
    const base = await this.#image(reference, this.#platformOf(stage), place);
    const draft = this.#draft(name, base);
    draft.result = this.#list.add(draft, from, `FROM ${reference}`, {kind: 'image', image: base.source.id});
    return draft;
  }

  /** The image that a name stands for, where only certain ones are to be used; a problem, and undefined, for any other. */
  #pinned(name: string, place: Place): string | undefined {
    const {pins} = this.#request;
    if (pins === undefined || name.includes('@')) return name;
    const pinned = pinOf(pins, name);
    if (pinned === undefined)
      this.#findings.error(
        place,
        'not-locked',
        `image "${name}" is not locked`,
        'lock it with "tscompose lock"; what the stack builds itself is named by additional_contexts: {NAME: "service:SERVICE"}',
      );
    return pinned;
  }

  #imagePlace({from: {line, image}}: Stage): Place {
    return placeIn(line, image.at, image.at + image.text.length);
  }

  async #image(
    reference: string,
    platform: Platform | undefined,
    place: Place,
  ): Promise<BaseImage & {readonly source: BaseSource}> {
    const {image, source} = this.#request;
    const found = await image(reference, platform).catch((error: unknown) => {
      throw atPlace(noImage(error, reference, this.#names()), place, source);
    });
    this.#images.set(`${reference} ${found.source.id}`, found);
    return found;
  }

  /** Of what is no image. */
  #names(): readonly string[] {
    return [...this.#stages.stages.flatMap(({name}) => name ?? []), ...Object.keys(this.#request.contexts)];
  }

  /** What `FROM --platform=…` asks for. */
  #platformOf({from}: Stage): Platform | undefined {
    const {platform: flag} = from;
    if (flag === undefined) return undefined;
    const {escape: escapeToken} = this.#request.dockerfile.directives;
    const scope = {variables: this.#globals, complete: true};
    const word = {text: flag.value, at: flag.valueAt};
    const text = expandWord(from, word, {scope, escapeToken, findings: this.#findings})?.text ?? '';
    try {
      return text === '' ? undefined : parsePlatform(text);
    } catch (error) {
      const place = placeIn(from.line, flag.at, flag.end);
      this.#findings.error(place, 'invalid-platform', toTscomposeError(error).message);
      return undefined;
    }
  }

  /** A directory in the place of an image: its files upon nothing. */
  async #beginWithDirectory(stage: Stage, name: string, context: string): Promise<StageDraft> {
    const draft = this.#draft(name, this.#scratch());
    const copies = [{from: {kind: 'context', name: context} as const, sources: ['/'], unpack: false}];
    draft.result = this.#list.add(draft, stage.from, `FROM ${context}`, {
      ...{kind: 'copy', parent: undefined, copies, target: '/', owner: '', chmod: '', link: false, parents: false},
      ...{exclude: []},
    });
    addLine(draft, `FROM ${context}`, draft.result);
    return draft;
  }

  #planning(stage: Stage): StagePlanning {
    const {network, allow, secrets, machine} = this.#request;
    return {
      escapeToken: this.#request.dockerfile.directives.escape as string,
      findings: this.#findings,
      steps: this.#list,
      given: this.#request.arguments,
      globals: this.#globals,
      network,
      allow,
      secrets,
      machine,
      findOrigin: (name: string, instruction: Instruction) => this.#findOrigin(stage, name, instruction),
    };
  }

  /** What the image below wants done first in whatever is built upon it. */
  #trigger(text: string): {readonly instructions: readonly Instruction[]; readonly findings: Findings} {
    const source = {text: `FROM scratch\n${text}`, shown: `ONBUILD ${text.split('\n')[0]}`};
    const {instructions, problems} = parseDockerfile(source);
    const findings = createFindings(source);
    for (const {severity, line = 1, column = 1, length = 1, code, message, hint} of problems)
      findings[severity]({line, column, length}, code, message, hint);
    return {instructions: instructions.slice(1), findings};
  }

  async #instruct(
    draft: StageDraft,
    stage: Stage,
    planning: Planning & {readonly instructions: readonly Instruction[]},
  ): Promise<void> {
    const full = {...this.#planning(stage), ...planning};
    for (const instruction of planning.instructions) await this.#dispatch(draft, instruction, full);
    for (const {severity, code, message, hint} of planning.findings.found)
      this.#findings[severity](
        placeIn(stage.from.line, 0, stage.from.line.text.length),
        code,
        `in a trigger of its image: ${message}`,
        hint,
      );
  }

  async #dispatch(draft: StageDraft, instruction: Instruction, planning: StagePlanning): Promise<void> {
    if (instruction.keyword === 'RUN') return await planRun(draft, instruction, planning);
    if (instruction.keyword === 'COPY' || instruction.keyword === 'ADD')
      return await planFiles(draft, instruction, planning);
    const plan = settingPlanners[instruction.keyword] as
      | ((draft: StageDraft, instruction: Instruction, planning: Planning) => void)
      | undefined;
    plan?.(draft, instruction, planning);
  }

  async #findOrigin(stage: Stage, name: string, instruction: Instruction): Promise<Origin> {
    const named = contextNamed(this.#request.contexts, name);
    const context = named === undefined ? undefined : this.#request.contexts[named];
    const {stages} = this.#stages;
    const below =
      context === undefined
        ? (findStage(stages, stage.index, name.toLowerCase()) ??
          (/^\d+$/.test(name) && Number(name) < stage.index ? stages[Number(name)] : undefined))
        : undefined;
    if (below !== undefined) return {kind: 'step', step: (await this.#plan(below)).result};
    if (context !== undefined && context.kind !== 'image') return {kind: 'context', name: named ?? name};
    if (name === 'scratch') return {kind: 'step', step: undefined};
    const place = placeIn(instruction.line, 0, instruction.line.text.length);
    const reference = context === undefined ? this.#pinned(name, place) : context.reference;
    if (reference === undefined) return {kind: 'step', step: undefined};
    const {source} = await this.#image(reference, undefined, place);
    const own = this.#draft('', this.#scratch());
    return {kind: 'step', step: this.#list.addImage(own, instruction, source)};
  }

  /** The ARGs before the first FROM, over what the builder knows. */
  #readGlobals(): ReadonlyMap<string, string> {
    const {platform, machine, target, arguments: given, dockerfile} = this.#request;
    const globals = new Map([
      ...platformVariables('TARGET', platform),
      ...platformVariables('BUILD', machine),
      ['TARGETSTAGE', target || (this.#stages.stages.at(-1)?.name ?? 'default')] as const,
    ]);
    for (const name of globals.keys()) {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      if (value !== undefined) globals.set(name, value);
    }
    for (const instruction of this.#stages.globals) {
      for (const {name, value} of instruction.arguments) {
        const scope = {variables: globals, complete: true};
        const context = {scope, escapeToken: dockerfile.directives.escape, findings: this.#findings};
        const own = value === undefined ? undefined : expandWord(instruction, value, context)?.text;
        const found = (Object.hasOwn(given, name.text) ? given[name.text] : undefined) ?? own;
        if (found !== undefined) globals.set(name.text, found);
      }
    }
    return globals;
  }
}

function platformVariables(prefix: string, platform: Platform): readonly (readonly [string, string])[] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
  ];
}

function splitEntry(entry: string): readonly [string, string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}
