import {oneLine} from '../report/cells.ts';
import {span} from './line.ts';
import type {OverlayContext} from './overlay-content.ts';
import {causeText} from './reduce-containers.ts';
import {clockTime, shortBytes, shortSpan} from './short-text.ts';
import {isUp, replicaStatus} from './status.ts';
import type {Line, ReplicaState, RestartCause, StyleName} from './types.ts';

/** How each container of a service is and how it came to that: its health with the last probe, its restarts with their causes. */
export function whyLines(context: OverlayContext, service: string): readonly Line[] {
  const found = context.state.services.find(({name}) => name === service);
  if (found === undefined) return [[span('it is gone', 'dim')]];
  if (found.replicas.length === 0)
    return [[span(found.wanted === 0 ? 'none of it is wanted' : 'it has no container yet')], upHint(context, service)];
  const blocks = found.replicas.map((replica) => replicaLines(context, replica));
  const pending = context.state.plan?.services.includes(service) === true;
  return [
    ...blocks.flatMap((block, index) => (index === 0 ? block : [[], ...block])),
    ...(pending ? [[], [span('It differs from the stack file', 'warning'), span('  p shows how', 'dim')]] : []),
  ];
}

function upHint({state}: OverlayContext, service: string): Line {
  return [span(`${state.command} up -d ${service}`, 'dim')];
}

function replicaLines(context: OverlayContext, replica: ReplicaState): readonly Line[] {
  const {glyphs, now, utcOffsetMinutes} = context;
  const {glyph, word, style} = replicaStatus(replica);
  const since = isUp(replica) ? replica.startedAt : replica.finishedAt;
  const times = since === undefined ? '' : `  since ${clockTime(since, utcOffsetMinutes)} (${shortSpan(now - since)})`;
  return [
    [span(replica.name, 'title'), span(`  ${glyphs[glyph]} ${word}`, style), span(times, 'dim')],
    ...healthLines(replica),
    ...memoryLines(replica),
    ...restartLines(context, replica),
  ];
}

function healthLines({health, phase}: ReplicaState): readonly Line[] {
  if (health === undefined || (phase !== 'running' && phase !== 'paused')) return [];
  const {status, failures, retries, exitCode, output} = health;
  const count = retries === undefined ? `${failures} failed` : `${failures} of ${retries} failed`;
  const style = status === 'unhealthy' ? 'bad' : status === 'healthy' ? 'good' : 'busy';
  const said = output
    .split('\n')
    .map(oneLine)
    .filter((line) => line !== '')
    .slice(0, 6);
  return [
    [
      span('  health    ', 'dim'),
      span(status, style),
      span(failures === 0 ? '' : `  ${count}`, 'plain'),
      span(exitCode === undefined ? '' : `  last probe exit ${exitCode}`, 'plain'),
    ],
    ...said.map((line): Line => [span('            '), span(line, 'dim')]),
  ];
}

function memoryLines({usage, oomKilled}: ReplicaState): readonly Line[] {
  const used = usage.memory.at(-1);
  const limit = usage.memoryLimit;
  if (limit === undefined || (!oomKilled && (used ?? 0) < limit * 0.8)) return [];
  const text = used === undefined ? `limit ${shortBytes(limit)}` : `${shortBytes(used)} of ${shortBytes(limit)}`;
  return [[span('  memory    ', 'dim'), span(text, oomKilled || (used ?? 0) >= limit * 0.95 ? 'bad' : 'warning')]];
}

function restartLines({glyphs, utcOffsetMinutes}: OverlayContext, replica: ReplicaState): readonly Line[] {
  const {restarts, causes} = replica;
  const head: Line = [
    span('  restarts  ', 'dim'),
    span(String(restarts), restarts === 0 ? 'plain' : 'strong'),
    span(restarts > causes.length && causes.length > 0 ? '  the last of them:' : '', 'dim'),
  ];
  const known = causes
    .toReversed()
    .map(
      (cause): Line => [
        span(`    ${clockTime(cause.time, utcOffsetMinutes)}  `, 'dim'),
        span(`${glyphs.left} ${causeText(cause)}`, causeStyle(cause)),
      ],
    );
  if (restarts > 0 && causes.length === 0)
    return [head, [span('    before this screen was opened; why is not known', 'dim')]];
  return [head, ...known];
}

function causeStyle({kind}: RestartCause): StyleName {
  return kind === 'watch' || kind === 'command' || kind === 'recreated' ? 'plain' : 'warning';
}
