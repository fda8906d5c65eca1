import {stat} from 'node:fs/promises';
import {renderDiagnostics} from '../../base/diagnostic.ts';
import {toTscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {replicasOf} from '../../model/lower.ts';
import type {Project} from '../../model/types.ts';
import type {Plan} from '../../plan/action.ts';
import type {UpOptions} from '../../plan/input.ts';
import {countChanges, planChanges} from '../../report/plan-changes.ts';
import {renderPlan} from '../../report/plan-text.ts';
import type {PendingPlan, UiEventContent} from '../../tui/types.ts';
import type {CliContext} from '../context.ts';
import {planNow, publishAddress} from '../plan-now.ts';

/** Wide enough for the whole of each line; the screen cuts what it has no room for. */
const planColumns = 200;

/** What `up` would do now. */
export async function pendingPlan(
  context: CliContext,
  docker: Docker,
  project: Project,
  options: UpOptions,
): Promise<PendingPlan> {
  return describePlan(await planNow(context, docker, {project, options}), context, project);
}

function describePlan(plan: Plan, context: CliContext, project: Project): PendingPlan {
  const changes = planChanges(plan);
  const services = [...new Set(changes.flatMap(({subject, name}) => (subject === 'service' ? [name] : [])))];
  const others = new Set(
    changes.flatMap(({subject, name, kind}) => (subject === 'service' && kind !== 'start' ? [name] : [])),
  );
  return {
    changes: changes.length,
    summary: summaryOf(plan),
    text: renderPlan(plan, {
      color: context.color(context.stdout),
      width: planColumns,
      project,
      publishAddress: publishAddress(context),
    }),
    services,
    starts: services.filter((name) => !others.has(name)),
    questions: plan.consents.map(({question}) => question),
  };
}

function summaryOf(plan: Plan): string {
  const {blocked: _, warnings: __, ...counts} = countChanges(plan);
  return Object.entries(counts)
    .flatMap(([kind, count]) => (count === 0 ? [] : [`${count} to ${kind}`]))
    .join(' · ');
}

/** The stack file cannot be read or planned: its problems take the place of the plan. */
export function brokenPlan(error: unknown, before: PendingPlan | undefined): PendingPlan {
  const {diagnostics, message, hint} = toTscomposeError(error);
  const problem =
    diagnostics.length > 0
      ? renderDiagnostics(diagnostics, {color: false})
      : [message, ...(hint === undefined ? [] : [`hint: ${hint}`])].join('\n');
  return {changes: 0, summary: '', text: '', services: [], starts: [], questions: [], ...before, problem};
}

export function stackEvent(project: Project): UiEventContent & {readonly kind: 'stack'} {
  const services = Object.entries(project.services).map(([name, service]) => ({name, wanted: replicasOf(service)}));
  return {kind: 'stack', project: project.name, services};
}

/** The files with the times of their last changes; missing ones count too. */
export async function stackFingerprint(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    [...files].sort().map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return found === undefined ? `${path} -` : `${path} ${found.mtimeMs} ${found.size} ${found.ino}`;
    }),
  );
  return stamps.join('\n');
}
