import {oneLine} from './cells.ts';
import {failureLines} from './evidence.ts';
import type {WatchCause, WatchContent, WatchTimes} from './watch-event.ts';

/** What is told of watching: one line for what happened, with its cause and its times; further lines are indented. */
export function watchLines(event: WatchContent): readonly string[] {
  switch (event.kind) {
    case 'watchReady':
      return [readyLine(event)];
    case 'watchBatch':
      return event.storm ? [`watch: ${count(event.changes, 'change')} at once, compared by content`] : [];
    case 'watchSynced':
      return event.leadsOn === true ? [] : [syncedLine(event)];
    case 'watchRestarted':
      return [restartedLine(event)];
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

/** `src/a.ts (+2)`. */
export function causeText({paths, more}: WatchCause): string {
  const [first = 'nothing', ...others] = paths;
  const rest = others.length + more;
  return `${oneLine(first)}${rest === 0 ? '' : ` (+${rest})`}`;
}

/** `p50 38 ms, p95 61 ms`. */
export function percentilesText({p50Ms, p95Ms}: {readonly p50Ms: number; readonly p95Ms: number}): string {
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
  return `watching ${count(rules, 'rule')} of ${names}: ${count(files, 'file')} in ${count(directories, 'directory', 'directories')} (${backend === 'polling' ? 'by polling, ' : ''}${milliseconds(tookMs)})`;
}

function syncedLine({service, cause, containers, written, deleted, tookMs, visibleMs}: Of<'watchSynced'>): string {
  const what = [
    ...(written === 0 ? [] : [`${written} written`]),
    ...(deleted === 0 ? [] : [`${deleted} deleted`]),
    ...(containers.length === 1 ? [] : [count(containers.length, 'container')]),
  ];
  const times =
    visibleMs === undefined ? milliseconds(tookMs) : `${milliseconds(tookMs)} sync, ${milliseconds(visibleMs)} in all`;
  return `${service} synced ← ${causeText(cause)}, ${what.length === 0 ? 'nothing new' : what.join(', ')}, ${times}`;
}

function restartedLine({service, cause, syncMs, restartMs, outcomeMs, outcome}: Of<'watchRestarted'>): string {
  const sync = syncMs === undefined ? '' : `${milliseconds(syncMs)} sync, `;
  const head = `${service} restarted ← ${causeText(cause)}, ${sync}`;
  switch (outcome) {
    case 'healthy':
      return `${head}${milliseconds(outcomeMs)} to healthy`;
    case 'running':
      return `${head}${milliseconds(restartMs)} to running`;
    case 'starting':
      return `${head}${milliseconds(restartMs)} to running, not healthy after ${milliseconds(outcomeMs)}`;
    case 'unhealthy':
      return `${head}${milliseconds(restartMs)} to running, unhealthy after ${milliseconds(outcomeMs)}`;
    case 'exited':
      return `${head}${milliseconds(restartMs)} to running, and ended after ${milliseconds(outcomeMs)}`;
  }
}

function executedLines({service, cause, command, exitCode, output, tookMs}: Of<'watchExecuted'>): readonly string[] {
  const end = exitCode === 0 ? '' : `, failed with exit code ${exitCode}`;
  const head = `${service} ran "${oneLine(command.join(' '))}" ← ${causeText(cause)}, ${milliseconds(tookMs)}${end}`;
  return [head, ...(exitCode === 0 ? [] : output.map((line) => `  ${oneLine(line)}`))];
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
