import {lineCells, span, spreadLine} from './line.ts';
import {pendingOf} from './pending.ts';
import {clockTime} from './short-text.ts';
import {isDone, isUp, serviceStatus} from './status.ts';
import type {Line, ServiceState, Span, UiState} from './types.ts';
import type {ViewContext} from './view-context.ts';

/** Project, how much of it is up, what is wrong, watch, pending changes, clock; what has no room is left out from the end. */
export function headerLine(context: ViewContext): Line {
  const {state, glyphs, columns, now, utcOffsetMinutes} = context;
  const parts: Line[] = [
    ...(state.revision === 0 ? [] : [upPart(context)]),
    ...connectionPart(context),
    ...troublePart(context),
    ...planPart(context),
    ...watchPart(context),
  ];
  const clock = columns >= 50 ? [span(`${clockTime(now, utcOffsetMinutes)} `, 'dim')] : [];
  const room = columns - lineCells(clock) - 1;
  const line: Span[] = [span(` ${state.project}`, 'title')];
  for (const part of parts) {
    if (lineCells(line) + 2 + lineCells(part) > room) break;
    line.push(span('  '), ...part);
  }
  return spreadLine(line, clock, columns, glyphs.cut);
}

function upPart({state: {services}, glyphs, columns}: ViewContext): Line {
  // Jobs that ended well and services of which none is wanted do not count as missing.
  const counted = services.filter((service) => !isDone(service) && service.wanted !== 0);
  const up = counted.filter(isWholly).length;
  const text = `${up}/${counted.length} up`;
  const whole = up === counted.length && up > 0;
  return [span(columns >= 30 ? `${whole ? glyphs.running : glyphs.busy} ${text}` : text, whole ? 'good' : 'busy')];
}

function isWholly({replicas, wanted}: ServiceState): boolean {
  return replicas.filter(isUp).length >= Math.max(1, wanted ?? replicas.length);
}

function troublePart({state: {services}, glyphs}: ViewContext): readonly Line[] {
  const bad = services.filter((service) => serviceStatus(service).severity >= 7);
  const [first] = bad;
  if (first === undefined) return [];
  const text = bad.length === 1 ? `${first.name} ${serviceStatus(first).word}` : `${bad.length} in trouble`;
  return [[span(`${glyphs.bad} ${text}`, 'bad')]];
}

function connectionPart({state, glyphs}: ViewContext): readonly Line[] {
  return state.connected ? [] : [[span(`${glyphs.bad} engine not reached, values are old`, 'bad')]];
}

function planPart({state, glyphs}: ViewContext): readonly Line[] {
  const {plan} = state;
  if (plan === undefined) return [];
  if (plan.problem !== undefined) return [[span(`${glyphs.bad} stack file has errors`, 'bad'), span(' (p)', 'dim')]];
  const {changes} = pendingOf(state);
  if (changes === 0) return [];
  const count = changes === 1 ? '1 change' : `${changes} changes`;
  return [[span(`${glyphs.plan} ${count} pending`, 'warning'), span(' (p)', 'dim')]];
}

function watchPart({state, glyphs, columns}: ViewContext): readonly Line[] {
  const {watch} = state;
  if (watch === undefined) return [];
  const building = (watch.building ?? []).map(({service, step}) => `${service}${step === '' ? '' : ` ${step}`}`);
  if (building.length > 0)
    return [[span(`${glyphs.busy} watching`, 'good'), span(`, building ${building.join(', ')}`, 'dim')]];
  if (watch.status !== 'on') {
    const bad = watch.status === 'failed';
    return [[span(`${bad ? glyphs.bad : glyphs.paused} watch ${watch.status}`, bad ? 'bad' : 'warning')]];
  }
  const figures = watchFigures(state, columns);
  return [[span(`${watch.pending > 0 ? glyphs.busy : glyphs.running} watching`, 'good'), span(figures, 'dim')]];
}

function watchFigures({watch}: UiState, columns: number): string {
  if (watch === undefined) return '';
  if (watch.pending > 0) return `, ${watch.pending} to bring in`;
  if (watch.p50Ms === undefined) return columns >= 80 ? `, ${watch.rules} ${watch.rules === 1 ? 'rule' : 'rules'}` : '';
  const p95 = watch.p95Ms === undefined || columns < 100 ? '' : `, p95 ${seconds(watch.p95Ms)}`;
  return `, save to serving ${seconds(watch.p50Ms)}${p95}`;
}

function seconds(ms: number): string {
  return ms < 9995 ? `${(ms / 1000).toFixed(2)}s` : `${Math.round(ms / 1000)}s`;
}
