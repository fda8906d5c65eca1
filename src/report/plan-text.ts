import {relative} from 'node:path';
import picocolors from 'picocolors';
import {boundAddresses, isReachableFromOutside, type PublishAddress} from '../api/port-reach.ts';
import type {FieldChange, Plan} from '../plan/action.ts';
import {cellWidth, cut, oneLine, pad} from './cells.ts';
import {countChanges, type PlanChange, planChanges} from './plan-changes.ts';
import {planOrder} from './plan-order.ts';

/** What a plan's text says beside the plan; a Project is one. */
export interface PlanTextProject {
  readonly workingDir: string;
  readonly services: Readonly<Record<string, {readonly ports?: readonly PlanTextPort[]}>>;
}

export interface PlanTextPort {
  readonly target: number;
  readonly published?: string;
  readonly host_ip?: string;
  readonly protocol: string;
}

export interface PlanTextOptions {
  readonly color: boolean;
  /** Columns; lines are cut, sources of changes are left out below 100. */
  readonly width: number;
  readonly project?: PlanTextProject | undefined;
  /** Where the engine publishes ports that name no address. */
  readonly publishAddress?: PublishAddress | undefined;
}

/** A symbol always stands beside its word: colour and symbol alone say nothing. */
const symbols: Readonly<Record<PlanChange['kind'], string>> = {
  create: '+',
  recreate: '±',
  remove: '-',
  start: '▸',
  stop: '■',
  restart: '↻',
  run: '»',
  pull: '↓',
  build: '◆',
};

const paints = {
  create: 'green',
  recreate: 'yellow',
  remove: 'red',
  start: 'green',
  stop: 'red',
  restart: 'yellow',
  run: 'green',
  pull: 'green',
  build: 'green',
} as const satisfies Readonly<Record<PlanChange['kind'], string>>;

/** A plan for people: what happens to each service, network and volume, why, in which order, and in all. Ends in a line feed. */
export function renderPlan(plan: Plan, options: PlanTextOptions): string {
  const color = picocolors.createColors(options.color);
  const changes = planChanges(plan);
  const lines = [color.bold(oneLine(plan.project)), ''];
  const nameWidth = Math.max(8, ...changes.map(({name}) => cellWidth(name)));
  for (const change of changes) lines.push(...changeLines(change, nameWidth, options));
  if (changes.length > 0) lines.push('');
  for (const consent of plan.consents) {
    lines.push(
      color.red(cut(` !! ask  ${consent.question}`, options.width)),
      ...fieldLines(consent.why.changes ?? [], options),
      '',
    );
  }
  for (const notice of plan.notices) {
    lines.push(color.yellow(cut(` ! ${notice.level}  ${oneLine(notice.message)}`, options.width)));
    if (notice.hint !== undefined) lines.push(cut(`   hint: ${notice.hint}`, options.width));
  }
  if (plan.notices.length > 0) lines.push('');
  const order = planOrder(plan);
  if (order.length > 1)
    lines.push(cut(` order  ${order.map((services) => services.join(', ')).join(' → ')}`, options.width), '');
  lines.push(color.bold(summaryLine(plan)));
  return `${lines.join('\n')}\n`;
}

function changeLines(change: PlanChange, nameWidth: number, options: PlanTextOptions): readonly string[] {
  const color = picocolors.createColors(options.color);
  const paint = color[paints[change.kind]];
  const what = change.subject === 'service' ? containerCount(change) : change.subject;
  const head = ` ${symbols[change.kind]} ${pad(oneLine(change.name), nameWidth)}  ${change.kind === 'run' ? 'run hooks in' : change.kind} ${what}: ${oneLine(change.why.reason)}`;
  const lines = [paint(withSource(head, change.why.source, options))];
  lines.push(...fieldLines(change.why.changes ?? [], options));
  if (change.subject === 'service' && (change.kind === 'create' || change.kind === 'recreate')) {
    for (const port of options.project?.services[change.name]?.ports ?? [])
      lines.push(cut(portLine(port, options.publishAddress), options.width));
  }
  for (const {hook, number, run} of change.hooks ?? []) {
    lines.push(cut(`     · ${hook} ${number}  ${oneLine(run.command.join(' '))}`, options.width));
  }
  return lines;
}

function containerCount({count}: PlanChange): string {
  return count === 1 ? '1 container' : `${count} containers`;
}

function fieldLines(changes: readonly FieldChange[], options: PlanTextOptions): readonly string[] {
  const width = Math.max(0, ...changes.map(({field}) => cellWidth(oneLine(field))));
  return changes.map((change) => {
    const field = pad(oneLine(change.field), width);
    return withSource(`     ${fieldText(field, change)}`, change.source, options);
  });
}

function fieldText(field: string, {before, after}: FieldChange): string {
  if (before === undefined) return `+ ${field}  ${oneLine(after ?? '')}`;
  if (after === undefined) return `- ${field}  ${oneLine(before)}`;
  return `~ ${field}  ${oneLine(before)} → ${oneLine(after)}`;
}

/** The place in the stack file goes to the right; in narrow terminals it is the first thing to go. */
function withSource(text: string, source: FieldChange['source'], {width, project}: PlanTextOptions): string {
  if (source === undefined || width < 100) return cut(text, width);
  const fromHere = project === undefined ? source.file : relative(project.workingDir, source.file);
  const place = `${fromHere.startsWith('..') ? source.file : fromHere}:${source.line}:${source.column}`;
  const room = width - cellWidth(place) - 2;
  return room < 40 ? cut(text, width) : `${pad(cut(text, room), room)}  ${place}`;
}

function portLine({target, published, host_ip, protocol}: PlanTextPort, publishAddress?: PublishAddress): string {
  const [address = '0.0.0.0', ...more] = boundAddresses(host_ip, publishAddress);
  const outside = [address, ...more].some(isReachableFromOutside);
  const host = `${address}:${published ?? '(chosen at start)'}`;
  return `     · port ${host} → ${target}/${protocol}${outside ? '  ! reachable from outside' : ''}`;
}

function summaryLine(plan: Plan): string {
  const {blocked, warnings, ...counts} = countChanges(plan);
  const parts = Object.entries(counts).flatMap(([kind, count]) => (count === 0 ? [] : [`${count} to ${kind}`]));
  if (blocked > 0) parts.push(`${blocked} to ask about`);
  const text = parts.length === 0 ? 'No changes: everything is as the stack file says.' : `Plan: ${parts.join(' · ')}`;
  return warnings === 0 ? text : `${text} (${warnings} ${warnings === 1 ? 'warning' : 'warnings'})`;
}
