import {sparkline} from './graphs.ts';
import type {Pane} from './layout.ts';
import {fillLine, lineCells, span} from './line.ts';
import {portTargets} from './ports.ts';
import {shortBytes, shortPercent} from './short-text.ts';
import {isUp} from './status.ts';
import {type Line, type ServiceState, sampleLimit} from './types.ts';
import {sumLimits, sumRings} from './usage.ts';
import type {ViewContext} from './view-context.ts';
import {whyLines} from './why.ts';

/** What there is to know of the selected service: load, ports, and for each container health and restarts with their causes. */
export function detailLines(context: ViewContext, pane: Pane): readonly Line[] {
  const {state, glyphs} = context;
  const service = state.services.find(({name}) => name === state.selection?.service);
  if (service === undefined) return Array.from({length: pane.height}, () => fillLine([], pane.width, glyphs.cut));
  const head: Line = [span(`${glyphs.horizontal} `, 'border'), span(service.name, 'strong'), span(' ')];
  const heading: Line = [...head, span(glyphs.horizontal.repeat(Math.max(0, pane.width - lineCells(head))), 'border')];
  const content = [
    ...loadLines(context, service, pane.width),
    ...portLines(context, service),
    ...whyLines(context, service.name, 'beside the load'),
  ];
  const room = pane.height - 1;
  const shown: readonly Line[] =
    content.length <= room
      ? content
      : [...content.slice(0, room - 1), [span(`${content.length - room + 1} more: w`, 'dim')]];
  const lines = [heading, ...shown.map((line): Line => [span(' '), ...line])];
  return Array.from({length: pane.height}, (_, index) => fillLine(lines[index] ?? [], pane.width, glyphs.cut));
}

function loadLines({glyphs}: ViewContext, {replicas}: ServiceState, width: number): readonly Line[] {
  const running = replicas.filter(isUp).map(({usage}) => usage);
  const textWidth = 16;
  const cells = Math.max(0, Math.min(sampleLimit, width - textWidth - 15));
  const cpu = sumRings(running.map((usage) => usage.cpu));
  const memory = sumRings(running.map((usage) => usage.memory));
  const cpuLimit = sumLimits(running.map((usage) => usage.cpuLimit));
  const memoryLimit = sumLimits(running.map((usage) => usage.memoryLimit));
  const row = (
    title: string,
    samples: readonly number[],
    limit: number | undefined,
    least: number,
    text: (value: number) => string,
  ): readonly Line[] => {
    const newest = samples.at(-1);
    if (newest === undefined) return [];
    const graph = sparkline(
      samples,
      Math.min(cells, samples.length),
      limit ?? Math.max(least, ...samples.map((sample) => sample * headroom)),
      glyphs,
    );
    const of = limit === undefined ? '' : ` of ${text(limit)}`;
    const style = limit !== undefined && newest >= limit * 0.9 ? 'warning' : 'plain';
    return [[span(title.padEnd(12), 'dim'), span(`${text(newest)}${of}`.padEnd(textWidth), style), span(graph, 'cpu')]];
  };
  return [...row('cpu', cpu, cpuLimit, 100, shortPercent), ...row('memory', memory, memoryLimit, 1, shortBytes)];
}

/** Without a limit a graph is not full where the most is used that was seen: it is no alarm. */
const headroom = 4 / 3;

function portLines({state}: ViewContext, {name}: ServiceState): readonly Line[] {
  const targets = portTargets(state, name);
  return targets
    .slice(0, 4)
    .map(
      ({text, url}, index): Line => [
        span((index === 0 ? 'ports' : '').padEnd(12), 'dim'),
        span(text),
        span(url === undefined ? '' : `  ${url}`, 'dim'),
      ],
    );
}
