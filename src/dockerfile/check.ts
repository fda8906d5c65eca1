import type {Diagnostic} from '../base/diagnostic.ts';
import {checkDescriptions} from './check-descriptions.ts';
import {checkFrom} from './check-from.ts';
import {checkIgnored} from './check-ignored.ts';
import {checkValue} from './check-values.ts';
import type {Directives} from './directives.ts';
import type {Instruction} from './instruction.ts';
import {parseDockerfile} from './parse.ts';
import {expandWord, platformArguments, proxyArguments, type Scope} from './scope.ts';
import {createFindings, type DockerfileSource, type Findings} from './source.ts';
import {checkStageNames, findStage, groupStages, type Stage, type Stages} from './stages.ts';
import {checkStyle} from './style.ts';
import {valuesIn} from './values.ts';

/** What is given to a build from outside. */
export interface CheckOptions {
  /** Values of ARGs by name; undefined where only the build knows the value. */
  readonly buildArguments: Readonly<Record<string, string | undefined>>;
  /** The text of the ignore file of its context, where that is known. */
  readonly ignore?: string | undefined;
}

/** All that is wrong with a Dockerfile, or likely not what was meant, without building anything. */
export function checkDockerfile(
  source: DockerfileSource,
  {buildArguments, ignore}: CheckOptions,
): readonly Diagnostic[] {
  const dockerfile = parseDockerfile(source);
  const stages = groupStages(dockerfile.instructions);
  const findings = createFindings(source);
  new Walk(stages, dockerfile.directives.escape, buildArguments, findings).run();
  checkStageNames(stages, findings);
  checkStyle(dockerfile, stages, findings);
  checkFrom(stages, {
    escapeToken: dockerfile.directives.escape,
    ...{given: buildArguments, findings, unheard: createFindings(source)},
  });
  if (ignore !== undefined) checkIgnored(stages, ignore, findings);
  const rules = checkRules(buildArguments['BUILDKIT_DOCKERFILE_CHECK'] ?? dockerfile.directives.check);
  if (rules.experimental.some((name) => name === 'all' || name === 'invaliddefinitiondescription')) {
    checkDescriptions(stages, findings);
  }
  const told = [...dockerfile.problems, ...findings.found].flatMap((found): readonly Diagnostic[] => {
    if (found.severity === 'error') return [found];
    const above = dockerfile.instructions.find(({line}) => isWithin(line, found.line ?? 0));
    const skipped = [
      ...rules.skipped,
      ...(above?.line.comments ?? []).flatMap((comment) => checkComment(comment, dockerfile.directives)),
    ];
    if (skipped.includes('all') || skipped.includes(found.code.replaceAll('-', ''))) return [];
    return [rules.fatal ? {...found, severity: 'error'} : found];
  });
  return told.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

interface CheckRules {
  readonly skipped: readonly string[];
  /** Checks that are not made unless they are asked for. */
  readonly experimental: readonly string[];
  readonly fatal: boolean;
}

/**
 * `skip=A,B;error=true;experimental=C`, as `# check=` says it, or the build argument that goes before that; names in small
 * letters.
 */
function checkRules(text = ''): CheckRules {
  const list = (key: string) =>
    (new RegExp(`(?:^|;)\\s*${key}=([^;]*)`).exec(text)?.[1] ?? '').split(',').map((name) => name.trim().toLowerCase());
  return {
    skipped: list('skip'),
    experimental: list('experimental'),
    fatal: /(?:^|;)\s*error=true\s*(?:;|$)/.test(text),
  };
}

/** `# check=skip=A` directly above an instruction is for that instruction; that of the whole file may stand there, too. */
function checkComment(comment: string, {check}: Directives): readonly string[] {
  const text = /^check\s*=\s*(.*)$/i.exec(comment)?.[1];
  return text === undefined || text === check ? [] : checkRules(text).skipped;
}

function isWithin({firstLine, lastLine}: Instruction['line'], line: number): boolean {
  return firstLine <= line && line <= lastLine;
}

type Variables = Map<string, string | undefined>;

/** Goes through the stages with the variables of each point. */
class Walk {
  readonly #scopes = new Map<Stage, Scope>();
  readonly #globals: Variables = new Map();
  readonly #stages: Stages;
  readonly #escapeToken: string;
  readonly #given: Readonly<Record<string, string | undefined>>;
  readonly #findings: Findings;

  constructor(
    stages: Stages,
    escapeToken: string,
    given: Readonly<Record<string, string | undefined>>,
    findings: Findings,
  ) {
    this.#stages = stages;
    this.#escapeToken = escapeToken;
    this.#given = given;
    this.#findings = findings;
  }

  run(): void {
    for (const name of platformArguments) this.#globals.set(name, undefined);
    const outside: Variables = new Map(this.#globals);
    for (const instruction of this.#stages.globals) this.#argument(instruction, outside, true);
    for (const [name, value] of outside) this.#globals.set(name, value);
    for (const stage of this.#stages.stages) this.#stage(stage, outside);
  }

  #stage(stage: Stage, outside: Variables): void {
    const image = this.#values(stage.from, {variables: outside, complete: true})[0];
    const base = image === undefined ? undefined : findStage(this.#stages.stages, stage.index, image);
    const inherited = base === undefined ? undefined : this.#scopes.get(base);
    const variables: Variables = new Map(inherited?.variables);
    for (const name of proxyArguments) variables.set(name, undefined);
    const complete = inherited?.complete ?? image === 'scratch';
    for (const instruction of stage.instructions) {
      if (instruction.keyword === 'ARG') this.#argument(instruction, variables, complete);
      else if (instruction.keyword === 'ENV') this.#environment(instruction, variables, complete);
      else this.#values(instruction, {variables, complete});
    }
    this.#scopes.set(stage, {variables, complete});
  }

  /** The values of an instruction; none for those that only the build knows. */
  #values(instruction: Instruction, scope: Scope): readonly (string | undefined)[] {
    return valuesIn(instruction).map((part) => {
      const context = {scope, escapeToken: this.#escapeToken, findings: this.#findings};
      const value = expandWord(instruction, part.word, context);
      if (value === undefined || !value.known) return undefined;
      checkValue(instruction, part, value, this.#findings);
      return value.text;
    });
  }

  #argument(instruction: Instruction<'ARG'>, variables: Variables, complete: boolean): void {
    for (const {name, value} of instruction.arguments) {
      const context = {scope: {variables, complete}, escapeToken: this.#escapeToken, findings: this.#findings};
      const own = value === undefined ? undefined : expandWord(instruction, value, context);
      const {text} = name;
      if (Object.hasOwn(this.#given, text)) variables.set(text, this.#given[text]);
      else if (own !== undefined) variables.set(text, own.known ? own.text : undefined);
      else if (this.#globals.has(text)) variables.set(text, this.#globals.get(text));
      else variables.set(text, undefined);
    }
  }

  /** The values see what was set before the line. */
  #environment(instruction: Instruction<'ENV'>, variables: Variables, complete: boolean): void {
    const values = this.#values(instruction, {variables: new Map(variables), complete});
    for (const index of instruction.pairs.keys()) {
      const key = values[index * 2];
      if (key !== undefined) variables.set(key, values[index * 2 + 1]);
    }
  }
}
