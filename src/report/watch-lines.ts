import {cut, oneLine} from './cells.ts';
import {failureLines} from './evidence.ts';
import type {WatchCause, WatchContent, WatchTimes} from './watch-event.ts';

/** So many changes are nobody's checkout, even where everything was looked at. */
const fewChanges = 20;

/** What is told of watching: one line for what happened, with its cause and its times; further lines are indented. */
export function watchLines(event: WatchContent): readonly string[] {
  switch (event.kind) {
    case 'watchReady':
      return [readyLine(event)];
    case 'watchBatch':
      return event.storm && event.changes > fewChanges
        ? [`watch: ${count(event.changes, 'change')} at once, compared by content`]
        : [];
    case 'watchSynced':
      return event.leadsOn === true ? [] : [syncedLine(event)];
    case 'watchRestarted':
      return [restartedLine(event)];
    case 'watchRebuilt':
      return [rebuiltLine(event)];
    case 'watchRebuildFailed':
      return [
        `${event.service} not rebuilt ← ${causeText(event.cause)}; tried again with the next save`,
        ...event.lines.map((line) => `  ${line}`),
      ];
    case 'watchExecuted':
      return executedLines(event);
    case 'watchFailed':
      return failedLines(event);
    case 'watchSuspended':
      return [
        `${event.service} suspended: ${event.action} ran ${event.times} times in ${milliseconds(event.withinMs)}, each time set off by ${list(event.paths)}, which changes while it runs (rule at ${event.rule})`,
        `hint: ${event.hint}`,
      ];
    case 'watchResumed':
      return [`${event.service} resumed ← ${causeText(event.cause)} (rule at ${event.rule})`];
    case 'watchStack':
      return stackLines(event);
    case 'watchTimes':
      return event.final ? event.services.map(timesLine) : [];
    case 'watchEnded':
      return event.reason === 'down' ? ['watch ended: another command removed the containers'] : [];
  }
}

/** `src/a.ts (+2)`; where nothing was saved just now, a container gets what it has not had yet. */
export function causeText({paths, more}: WatchCause): string {
  const [first = 'what it missed', ...others] = paths;
  const rest = others.length + more;
  return `${oneLine(first)}${rest === 0 ? '' : ` (+${rest})`}`;
}

/** `p50 38 ms, p95 61 ms`. */
function percentilesText({p50Ms, p95Ms}: {readonly p50Ms: number; readonly p95Ms: number}): string {
  return `p50 ${milliseconds(p50Ms)}, p95 ${milliseconds(p95Ms)}`;
}

/** `41 ms`, `1.4 s`. */
export function milliseconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

type Of<K extends WatchContent['kind']> = Extract<WatchContent, {readonly kind: K}>;

function readyLine({services, files, directories, backend, tookMs}: Of<'watchReady'>): string {
  const rules = services.reduce((sum, service) => sum + service.rules, 0);
  const names = services.map(({service}) => service).join(', ');
  const below = directories === 0 ? '' : ` in ${count(directories, 'directory', 'directories')}`;
  const how = backend === 'polling' ? 'by polling, ' : '';
  return `watching ${count(rules, 'rule')} of ${names}: ${count(files, 'file')}${below} (${how}${milliseconds(tookMs)})`;
}

function syncedLine({service, cause, containers, written, deleted, tookMs, visibleMs}: Of<'watchSynced'>): string {
  const what = [
    ...(written === 0 ? [] : [`${written} written`]),
    ...(deleted === 0 ? [] : [`${deleted} deleted`]),
    ...(containers.length === 1 ? [] : [count(containers.length, 'container')]),
  ];
  const times =
    visibleMs === undefined
      ? `${milliseconds(tookMs)} sync`
      : `visible after ${milliseconds(visibleMs)}: ${milliseconds(tookMs)} sync`;
  return `${service} synced ← ${causeText(cause)}, ${what.length === 0 ? 'nothing new' : what.join(', ')}, ${times}`;
}

/** `api restarted ← src/a.ts (+2), serving after 455 ms: 41 ms sync, 380 ms to healthy; of 12 saves p50 410 ms, …`. */
function restartedLine({service, cause, syncMs, servingMs, latest, ...restart}: Of<'watchRestarted'>): string {
  const {outcome, restartMs, outcomeMs} = restart;
  const serving = servingMs === undefined ? '' : `serving after ${milliseconds(servingMs)}: `;
  const sync = syncMs === undefined ? '' : `${milliseconds(syncMs)} sync, `;
  const head = `${service} restarted ← ${causeText(cause)}, ${serving}${sync}`;
  const tail = latest === undefined ? '' : `; of ${count(latest.saves, 'save')} ${percentilesText(latest)}`;
  switch (outcome) {
    case 'healthy':
      return `${head}${milliseconds(outcomeMs)} to healthy${tail}`;
    case 'running':
      return `${head}${milliseconds(restartMs)} to running${tail}`;
    case 'starting':
      return `${head}${milliseconds(restartMs)} to running, not healthy after ${milliseconds(outcomeMs)}`;
    case 'unhealthy':
      return `${head}${milliseconds(restartMs)} to running, unhealthy after ${milliseconds(outcomeMs)}`;
    case 'exited':
      return `${head}${milliseconds(restartMs)} to running, and ended after ${milliseconds(outcomeMs)}`;
  }
}

/** `web rebuilt ← src/main.c, serving after 2.1 s: 1.4 s build, 310 ms to healthy; of 3 saves p50 2.0 s, …`. */
function rebuiltLine(event: Of<'watchRebuilt'>): string {
  const {service, cause, buildMs, outcomeMs, outcome, servingMs, latest} = event;
  const serving = servingMs === undefined ? '' : `serving after ${milliseconds(servingMs)}: `;
  const head = `${service} rebuilt ← ${causeText(cause)}, ${serving}${milliseconds(buildMs)} build, `;
  const tail = latest === undefined ? '' : `; of ${count(latest.saves, 'save')} ${percentilesText(latest)}`;
  const after = milliseconds(outcomeMs);
  switch (outcome) {
    case 'unchanged':
      return `${head}nothing to replace`;
    case 'healthy':
    case 'running':
      return `${head}${after} to ${outcome}${tail}`;
    case 'starting':
      return `${head}not healthy after ${after}`;
    case 'unhealthy':
      return `${head}unhealthy after ${after}`;
    case 'exited':
      return `${head}ended after ${after}`;
  }
}

/** Commands are shown up to so many cells. */
const commandCells = 40;

function executedLines(event: Of<'watchExecuted'>): readonly string[] {
  const {service, container, cause, command, exitCode, output, tookMs, doneMs} = event;
  const end = exitCode === 0 ? '' : `, failed with exit code ${exitCode}`;
  const done = doneMs === undefined ? '' : `done after ${milliseconds(doneMs)}: `;
  const text = cut(oneLine(command.join(' ')), commandCells);
  const head = `${shortName(container, service)} ran "${text}" ← ${causeText(cause)}, ${done}${milliseconds(tookMs)} command${end}`;
  return [head, ...(exitCode === 0 ? [] : output.map((line) => `  ${oneLine(line)}`))];
}

/** `api-2` of `shop-api-2`, as its log lines begin; a name of its own stays. */
function shortName(container: string, service: string): string {
  const at = container.lastIndexOf(`${service}-`);
  return at === -1 ? container : container.slice(at);
}

function failedLines({service, cause, pending, retryMs, failure}: Of<'watchFailed'>): readonly string[] {
  const waiting = pending === 0 ? '' : `pending (${count(pending, 'file')}), `;
  const next = retryMs === undefined ? 'tried again with the next save' : `tried again in ${milliseconds(retryMs)}`;
  const [first = '', ...others] = failureLines(failure);
  return [
    `${service} failed ← ${causeText(cause)}: ${first}; ${waiting}${next}`,
    ...others,
    ...(failure.hint === undefined ? [] : [`hint: ${failure.hint}`]),
  ];
}

function stackLines({cause, state, lines, command, failure}: Of<'watchStack'>): readonly string[] {
  const subject = `stack ← ${causeText(cause)}`;
  const indented = lines.map((line) => `  ${line}`);
  switch (state) {
    case 'unchanged':
      return [`${subject}: nothing to change`];
    case 'invalid':
      return [`${subject}: cannot be loaded, the stack stays as it was`, ...lines];
    case 'applying':
      return [`${subject}: applying`, ...indented];
    case 'applied':
      return [`${subject}: applied`];
    case 'failed':
      return [`${subject}: failed`, ...(failure === undefined ? [] : failureLines(failure).map((line) => `  ${line}`))];
    case 'held':
      return [
        `${subject}: not applied by itself`,
        ...indented,
        ...(command === undefined ? [] : [`hint: apply it with "${command}"`]),
      ];
  }
}

function timesLine({service, saves, visible, serving}: WatchTimes): string {
  const parts = [
    ...(visible === undefined ? [] : [`save to visible ${percentilesText(visible)}`]),
    ...(serving === undefined ? [] : [`save to serving ${percentilesText(serving)}`]),
  ];
  return `${service}: ${count(saves, 'save')}${parts.length === 0 ? '' : `, ${parts.join('; ')}`}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function list(paths: readonly string[]): string {
  const shown = paths.slice(0, 3).map(oneLine);
  return `${shown.join(', ')}${paths.length > shown.length ? ` and ${paths.length - shown.length} more` : ''}`;
}
