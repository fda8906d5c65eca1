import {oneLine} from '../report/cells.ts';
import {span} from './line.ts';
import type {OverlayContext} from './overlay-content.ts';
import {pendingOf} from './pending.ts';
import {causeText} from './reduce-containers.ts';
import {clockTime, shortBytes, shortSpan} from './short-text.ts';
import {isUp, probeEnd, replicaStatus} from './status.ts';
import type {Line, ReplicaState, RestartCause, StyleName} from './types.ts';

/**
 * How each container of a service is and how it came to that: its health with the last probe, its restarts with their
 * causes; memory that is short, where the load is not shown beside it.
 */
export function whyLines(
  context: OverlayContext,
  service: string,
  place: 'alone' | 'beside the load' = 'alone',
): readonly Line[] {
  const found = context.state.services.find(({name}) => name === service);
  if (found === undefined) return [[span('it is gone', 'dim')]];
  if (found.replicas.length === 0)
    return [[span(found.wanted === 0 ? 'none of it is wanted' : 'it has no container yet')], upHint(context, service)];
  const blocks = found.replicas.map((replica) => replicaLines(context, replica, place === 'alone'));
  const pending = pendingOf(context.state).services.includes(service);
  return [
    ...blocks.flatMap((block, index) => (index === 0 ? block : [[], ...block])),
    ...(pending ? [[], [span('It differs from the stack file', 'warning'), span('  p shows how', 'dim')]] : []),
  ];
}

function upHint({state}: OverlayContext, service: string): Line {
  return [span(`${state.command} up -d ${service}`, 'dim')];
}

function replicaLines(context: OverlayContext, replica: ReplicaState, memory: boolean): readonly Line[] {
  const {glyphs, now, utcOffsetMinutes} = context;
  const {glyph, word, style} = replicaStatus(replica);
  const since = isUp(replica) ? replica.startedAt : replica.finishedAt;
  const times = since === undefined ? '' : `  ${shortSpan(now - since)}, since ${clockTime(since, utcOffsetMinutes)}`;
  return [
    [span(replica.name, 'title'), span(`  ${glyphs[glyph]} ${word}`, style), span(times, 'dim')],
    ...healthLines(replica),
    ...(memory ? memoryLines(replica) : []),
    ...restartLines(context, replica),
  ];
}

function healthLines({health, phase}: ReplicaState): readonly Line[] {
  if (health === undefined || (phase !== 'running' && phase !== 'paused')) return [];
  const {status, failures, retries, exitCode, output} = health;
  const of = retries === undefined || failures > retries ? '' : ` of ${retries}`;
  const count = failures === 0 ? '' : `, ${failures}${of} probes failed${of === '' ? ' in a row' : ''}`;
  const last = exitCode === undefined ? '' : failures === 0 ? '' : `, the last: ${probeEnd(exitCode)}`;
  const style = status === 'unhealthy' ? 'bad' : status === 'healthy' ? 'good' : 'busy';
  const said = output
    .split('\n')
    .map(oneLine)
    .filter((line) => line !== '')
    .slice(0, 6);
  return [
    [span(title('health'), 'dim'), span(status, style), span(`${count}${last}`)],
    ...said.map((line): Line => [span(title('')), span(line, 'dim')]),
  ];
}

/** Where memory is short, how short. */
function memoryLines({usage, oomKilled}: ReplicaState): readonly Line[] {
  const used = usage.memory.at(-1);
  const limit = usage.memoryLimit;
  if (limit === undefined || (!oomKilled && (used ?? 0) < limit * 0.8)) return [];
  const text = used === undefined ? `limit ${shortBytes(limit)}` : `${shortBytes(used)} of ${shortBytes(limit)}`;
  return [[span(title('memory'), 'dim'), span(text, oomKilled || (used ?? 0) >= limit * 0.95 ? 'bad' : 'warning')]];
}

function restartLines({glyphs, utcOffsetMinutes}: OverlayContext, replica: ReplicaState): readonly Line[] {
  const {restarts, causes} = replica;
  const count = String(restarts);
  const head = (text: string): Line => [
    span(title(text === '' ? '' : 'restarts'), 'dim'),
    span(text.padEnd(count.length)),
  ];
  if (causes.length === 0) {
    const unknown = restarts === 0 ? '' : '  why is not known: it was before this screen was opened';
    return [[...head(count), span(unknown, 'dim')]];
  }
  return causes
    .toReversed()
    .map(
      (cause, index): Line => [
        ...head(index === 0 ? count : ''),
        span(`  ${clockTime(cause.time, utcOffsetMinutes)}  `, 'dim'),
        span(`${glyphs.left} ${causeText(cause)}`, causeStyle(cause)),
      ],
    );
}

function title(text: string): string {
  return `  ${text.padEnd(10)}`;
}

function causeStyle({kind}: RestartCause): StyleName {
  return kind === 'watch' || kind === 'command' || kind === 'recreated' ? 'plain' : 'warning';
}
