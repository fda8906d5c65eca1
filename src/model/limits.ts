import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError} from '../base/errors.ts';
import type {Limit} from './attributes/attribute.ts';
import {attributeTable} from './attributes/index.ts';
import {otherEngine} from './attributes/limits.ts';
import {resourceLimits} from './attributes/resource-limits.ts';
import {sortedByPlace} from './problems.ts';
import {excerptOf, originOf, positionOf} from './source.ts';
import type {Project} from './types.ts';

/** Something that the stack file asks for and that is not done. */
export interface LimitFound {
  readonly by: Limit<unknown>['by'];
  /** `services.web.deploy.placement`. */
  readonly path: string;
  /** The value that is refused, where it is not the attribute itself. */
  readonly value?: string | number;
  readonly verdict?: string | undefined;
  readonly reason: string;
  readonly hint?: string | undefined;
}

/** All limits that the services and resources of a project meet, in the order of the project. */
export function findLimits(project: Project): readonly LimitFound[] {
  const found: LimitFound[] = [];
  for (const [name, service] of Object.entries(project.services)) {
    for (const [attribute, {limits = []}] of attributeTable) {
      const value = (service as Readonly<Record<string, unknown>>)[attribute];
      if (value === undefined || value === null) continue;
      for (const limit of limits) {
        for (const below of limit.where(value, service))
          found.push(foundAt(`services.${name}.${attribute}`, below, {limit, value}));
      }
    }
  }
  for (const [section, limits] of Object.entries(resourceLimits)) {
    const resources: object = project[section as keyof typeof resourceLimits] ?? {};
    for (const [key, resource] of Object.entries(resources)) {
      for (const limit of limits as readonly Limit<unknown>[]) {
        for (const below of limit.where(resource, {}))
          found.push(foundAt(`${section}.${key}`, below, {limit, value: resource}));
      }
    }
  }
  return found;
}

function foundAt(
  path: string,
  below: string,
  {limit, value}: {readonly limit: Limit<never>; readonly value: unknown},
): LimitFound {
  const {by, reason, hint, verdict} = limit;
  const named = limit.ofValue === true ? memberAt(value, below) : undefined;
  const isNamed = typeof named === 'string' || typeof named === 'number';
  return {by, path: join(path, below), reason, hint, verdict, ...(isNamed ? {value: named} : {})};
}

/** The value at a path below another one: `[0].protocol`. */
function memberAt(value: unknown, path: string): unknown {
  return path
    .split(/[.[\]]/)
    .filter((step) => step !== '')
    .reduce((node, step) => (node as Readonly<Record<string, unknown>> | undefined)?.[step], value);
}

function join(path: string, below: string): string {
  return below === '' || below.startsWith('[') ? `${path}${below}` : `${path}.${below}`;
}

/**
 * Refuses what cannot be done with an engine, before anything is changed: `features` are the engine's, and one that places
 * files is one of ours. Throws `unsupported` with everything at once, each with its place.
 */
export function refuseLimits(project: Project, features: ReadonlySet<string>): void {
  const isOurs = features.has('files');
  refuse(
    project,
    findLimits(project).filter(({by}) => by === 'tscompose' || (by === 'builtin' && isOurs)),
  );
}

/** The same for what is said of how images are built, and of nothing else. */
export function refuseBuildLimits(project: Project): void {
  refuse(
    project,
    findLimits(project).filter(({by, path}) => by === 'tscompose' && /^services\.[^.]+\.build\b/.test(path)),
  );
}

function refuse(project: Project, refused: readonly LimitFound[]): void {
  if (refused.length === 0) return;
  const diagnostics = sortedByPlace(refused.map((limit) => diagnosticOf(limit, project)));
  const [first] = diagnostics;
  const message =
    diagnostics.length === 1
      ? (first?.message ?? '')
      : `the stack file asks for ${diagnostics.length} things that are not supported`;
  throw new TscomposeError('unsupported', message, {diagnostics});
}

/** What has no effect outside a swarm: one warning for each attribute, at the first place. */
export function noteLimits(project: Project): readonly Diagnostic[] {
  const members = new Map<string, readonly string[]>();
  for (const {by, path} of findLimits(project)) {
    const [, attribute, member] = /^(services\..*?\.deploy)\.(.*)$/.exec(path) ?? [];
    if (by === 'swarm' && attribute !== undefined && member !== undefined)
      members.set(attribute, [...(members.get(attribute) ?? []), member]);
  }
  return [...members].map(([attribute, names]) => {
    const message = `${attribute}: ${names.join(', ')}: no effect outside a swarm`;
    return placed({severity: 'warning', code: 'no-effect', message}, `${attribute}.${names[0]}`, project);
  });
}

/** What a person can do about any limit. */
export const usualHint = {
  builtin: `remove it, or ${otherEngine}`,
  tscompose: 'remove it',
  swarm: 'remove it',
} as const;

function diagnosticOf(limit: LimitFound, project: Project): Diagnostic {
  const {by, path, value, verdict = 'is not supported yet', reason, hint = usualHint[by]} = limit;
  const message = `${path}${value === undefined ? '' : ` ${JSON.stringify(value)}`} ${verdict}: ${reason}`;
  return placed({severity: 'error', code: 'unsupported', message, hint}, path, project);
}

function placed(diagnostic: Diagnostic, path: string, {provenance}: Project): Diagnostic {
  const span = provenance.span?.(path);
  if (span === undefined) return diagnostic;
  const {line, column} = positionOf(span);
  const related = originOf(span);
  const place = {file: span.source.shown, line, column, ...excerptOf(span)};
  return {...diagnostic, ...place, ...(related === undefined ? {} : {related})};
}
