import {posix, relative} from 'node:path';
import type {Diagnostic} from '../../base/diagnostic.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Project, SourcePosition, WatchRule} from '../../model/types.ts';
import type {BuildIgnore} from './build-ignore.ts';

/** A rule of the stack file, with the service it is for. */
export interface ServiceRule {
  /** `api 0`: service and index of the rule. */
  readonly id: string;
  readonly service: string;
  readonly rule: WatchRule;
  /** Absolute path in the container; undefined for rules that sync nothing. */
  readonly target: string | undefined;
  /** Of the service's build, see `withBuildIgnores`. */
  readonly context?: BuildIgnore;
}

export interface RuleSelection {
  /** Empty: all. */
  readonly services: readonly string[];
  /** Having no rule is no error: while watching, the last one may be taken out of the file. */
  readonly mayBeEmpty?: boolean;
}

/** Rules that act: what they do beside bringing files into containers. */
export function restarts({rule}: ServiceRule): boolean {
  return rule.action === 'restart' || rule.action === 'sync+restart';
}

/** Whether it builds the image of the service. */
export function rebuilds({rule}: ServiceRule): boolean {
  return rule.action === 'rebuild';
}

export function syncs({rule}: ServiceRule): boolean {
  return rule.action === 'sync' || rule.action === 'sync+restart' || rule.action === 'sync+exec';
}

/**
 * The rules of the services that are to be watched. Throws `invalid` where there is none and, with each
 * place, where one asks for what cannot be done: nobody should learn that at the first save.
 */
export function watchRules(project: Project, {services, mayBeEmpty}: RuleSelection): readonly ServiceRule[] {
  const rules = collectRules(project, services);
  const impossible = rules.filter((rule) => rebuilds(rule) && project.services[rule.service]?.build === undefined);
  if (impossible.length > 0) {
    throw new TscomposeError('invalid', impossible.map(rebuildMessage).join('\n'), {
      hint: rebuildHint,
      diagnostics: impossible.map((rule) => rebuildDiagnostic(project, rule)),
    });
  }
  if (rules.length === 0 && mayBeEmpty !== true) {
    const of = services.length === 0 ? 'no service of the stack' : `none of the services ${services.join(', ')}`;
    throw new TscomposeError('invalid', `nothing to watch: ${of} has a rule`, {
      hint: 'add "develop: {watch: [{path: ./src, action: sync+restart, target: /app/src}]}" to a service',
    });
  }
  return rules;
}

function collectRules(project: Project, services: readonly string[]): readonly ServiceRule[] {
  return Object.entries(project.services)
    .filter(([service]) => services.length === 0 || services.includes(service))
    .flatMap(([service, {develop}]) =>
      (develop?.watch ?? []).map((rule, index): ServiceRule => {
        const target = rule.target === undefined ? undefined : posix.resolve('/', rule.target);
        return {id: `${service} ${index}`, service, rule, target};
      }),
    );
}

function positionOf(project: Project, service: string, index: number, member?: string): SourcePosition | undefined {
  const path = `services.${service}.develop.watch[${index}]`;
  return project.provenance.at(member === undefined ? path : `${path}.${member}`);
}

/** Where the rule stands in the stack file: `compose.yaml:12:9`, as far as it is known. */
export function placeOf(project: Project, rule: ServiceRule): string {
  const {workingDir, files} = project;
  const position = positionOf(project, rule.service, indexOf(rule));
  if (position === undefined) return files[0] === undefined ? 'the stack file' : relative(workingDir, files[0]);
  return `${shownPath(position.file, workingDir)}:${position.line}:${position.column}`;
}

function indexOf({id}: ServiceRule): number {
  return Number(id.slice(id.lastIndexOf(' ') + 1));
}

function rebuildMessage({service}: ServiceRule): string {
  return `service "${service}": watch action "rebuild" has nothing to build: the service has no "build"`;
}

const rebuildHint = 'add "build: ." to the service, or use "sync", "sync+restart" or "restart"';

function rebuildDiagnostic(project: Project, rule: ServiceRule): Diagnostic {
  const position = positionOf(project, rule.service, indexOf(rule), 'action');
  return {
    severity: 'error',
    code: 'invalid',
    message: rebuildMessage(rule),
    ...(position === undefined
      ? {}
      : {file: shownPath(position.file, project.workingDir), line: position.line, column: position.column}),
    hint: rebuildHint,
  };
}

/** A path as people know it: from the project's directory on, where it is below that. */
export function shownPath(path: string, workingDir: string): string {
  const shown = relative(workingDir, path);
  return shown === '' ? '.' : shown.startsWith('..') ? path : shown;
}

/** Whether the same is watched and done. */
export function sameRules(before: readonly ServiceRule[], now: readonly ServiceRule[]): boolean {
  return JSON.stringify(before) === JSON.stringify(now);
}
