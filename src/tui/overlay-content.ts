import {type Box, boxRoom} from './box.ts';
import {cellsOf, safeText} from './cells.ts';
import {keyGroups} from './key-table.ts';
import {fillLine, lineCells, span, wrapLine} from './line.ts';
import {readLogText} from './log-text.ts';
import type {Overlay} from './overlay.ts';
import {portTargets} from './ports.ts';
import {clockTime} from './short-text.ts';
import type {EventEntry, Line, Span, StyleName} from './types.ts';
import {buildLines} from './view-builds.ts';
import type {ViewContext} from './view-context.ts';
import {whyLines} from './why.ts';

/** What an overlay says, as a box; keys need it as well, to know how far it scrolls. */
export function overlayBox(context: OverlayContext, overlay: Overlay): Box {
  const box = contentOf(context, overlay);
  const width = Math.max(1, boxRoom(context.columns, context.rows).width - 4);
  return {...box, lines: box.lines.flatMap((line) => wrapLine(line, width))};
}

function contentOf(context: OverlayContext, overlay: Overlay): Box {
  const {state} = context;
  switch (overlay.kind) {
    case 'help':
      return {title: 'help', lines: helpLines(context), top: overlay.top};
    case 'plan':
      return {title: 'plan', lines: planLines(context), top: overlay.top, command: `${state.command} plan`};
    case 'events':
      return {
        title: 'events',
        lines: eventLines(context),
        top: 0,
        above: overlay.above,
        command: `${state.command} events`,
      };
    case 'builds':
      return {
        title: 'builds',
        lines: buildsLines(context),
        top: 0,
        above: overlay.above,
        command: `${state.command} build`,
      };
    case 'why':
      return {
        title: `why ${overlay.service}`,
        lines: whyLines(context, overlay.service),
        top: overlay.top,
        command: `${state.command} ps --why ${overlay.service}`,
      };
    case 'ports':
      return {title: `ports of ${overlay.service}`, lines: portLines(context, overlay), top: 0};
    case 'confirm':
      return {title: overlay.question, lines: confirmLines(overlay), top: 0};
  }
}

export type OverlayContext = Pick<ViewContext, 'state' | 'glyphs' | 'now' | 'utcOffsetMinutes' | 'columns' | 'rows'>;

/** Keys in two columns or in one, with the commands that do the same or without: what the screen has room for. */
function helpLines(context: OverlayContext): readonly Line[] {
  const room = boxRoom(context.columns, context.rows);
  const fits = (lines: readonly Line[]): boolean => Math.max(...lines.map(lineCells)) <= room.width - 4;
  const [services = [], stack = [], logs = [], screen = []] = helpBlocks(context, true);
  const list = [...services, [], ...stack, [], ...logs, [], ...screen];
  const wide = sideBySide([...services, [], ...stack], [...logs, [], ...screen]);
  if (fits(wide)) return wide;
  if (fits(list) && list.length <= room.height - 2) return list;
  const [plainServices = [], plainStack = [], plainLogs = [], plainScreen = []] = helpBlocks(context, false);
  const plain = sideBySide([...plainServices, [], ...plainStack], [...plainLogs, [], ...plainScreen]);
  if (fits(plain)) return plain;
  return fits(list) ? list : [...plainServices, [], ...plainStack, [], ...plainLogs, [], ...plainScreen];
}

function helpBlocks({state}: OverlayContext, commands: boolean): readonly (readonly Line[])[] {
  const service = state.selection?.service ?? 'SERVICE';
  return keyGroups.map(({title, rows}) => {
    const width = Math.max(...rows.map(({what}) => what.length));
    return [
      [span(title, 'title')],
      ...rows.map(({keys, what, command}): Line => {
        const line: Line = [span(`  ${keys.padEnd(8)} `, 'key'), span(what)];
        if (!commands || command === undefined) return line;
        const typed = `${state.command} ${command.replace('SERVICE', service)}`;
        return [...line, span(`${' '.repeat(width - what.length + 2)}${typed}`, 'dim')];
      }),
    ];
  });
}

function sideBySide(left: readonly Line[], right: readonly Line[]): readonly Line[] {
  const width = Math.max(0, ...left.map(lineCells));
  return Array.from({length: Math.max(left.length, right.length)}, (_, index) => [
    ...fillLine(left[index] ?? [], width, ''),
    span('    '),
    ...(right[index] ?? []),
  ]);
}

function planLines({state: {plan}, columns, rows}: OverlayContext): readonly Line[] {
  if (plan === undefined) return [[span('not planned yet', 'dim')]];
  if (plan.problem !== undefined) return textLines(plan.problem, Number.POSITIVE_INFINITY);
  const questions = plan.questions.map((question): Line => [span(`asks: ${question}`, 'warning')]);
  const lines = textLines(plan.text, boxRoom(columns, rows).width - 4);
  return questions.length === 0 ? lines : [...lines, [], ...questions];
}

/** Lines of a text that may have colours of its own; its columns come closer where a line is too wide. */
function textLines(text: string, width: number): readonly Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line): Line => {
      const raw = cellsOf(readLogText(line).text) > width ? line.replace(/(?<=\S) {3,}/g, '  ') : line;
      const {text: safe, colors} = readLogText(raw);
      if (colors.length === 0) return [span(safe)];
      const starts = [{start: 0, sgr: ''}, ...colors];
      return starts.map(({start, sgr}, index): Span => {
        const piece = safe.slice(start, starts[index + 1]?.start);
        return sgr === '' ? {text: piece, style: 'plain'} : {text: piece, style: 'plain', sgr};
      });
    });
}

const eventStyles: Readonly<Record<EventEntry['level'], StyleName>> = {
  info: 'plain',
  good: 'good',
  warning: 'warning',
  error: 'bad',
};

function eventLines({state, glyphs, utcOffsetMinutes}: OverlayContext): readonly Line[] {
  if (state.events.length === 0) return [[span('nothing has happened since this screen was opened', 'dim')]];
  const marks = {info: glyphs.dot, good: glyphs.ok, warning: glyphs.warning, error: glyphs.bad};
  const width = Math.min(16, Math.max(0, ...state.events.map(({service = ''}) => cellsOf(safeText(service)))));
  return state.events.map(
    ({time, level, service = '', text}): Line => [
      span(`${clockTime(time, utcOffsetMinutes)}  `, 'dim'),
      ...(width === 0 ? [] : [...fillLine([span(service, 'dim')], width, glyphs.cut), span('  ')]),
      span(`${marks[level]} ${text}`, eventStyles[level]),
    ],
  );
}

function buildsLines(context: OverlayContext): readonly Line[] {
  if (context.state.builds.length === 0) return [[span('nothing was built since this screen was opened', 'dim')]];
  return buildLines(context, {width: Math.max(1, boxRoom(context.columns, context.rows).width - 4)});
}

function portLines({state, glyphs}: OverlayContext, overlay: Overlay & {readonly kind: 'ports'}): readonly Line[] {
  const targets = portTargets(state, overlay.service);
  if (targets.length === 0) return [[span('no port of it is published', 'dim')]];
  return targets.map(
    ({text, url}, index): Line => [
      span(index === overlay.selected ? `${glyphs.marker} ` : '  ', 'accent'),
      span(url ?? text, index === overlay.selected ? 'strong' : 'plain'),
      span(url === undefined ? '' : `  ${text}`, 'dim'),
    ],
  );
}

function confirmLines({details, effect}: Overlay & {readonly kind: 'confirm'}): readonly Line[] {
  const command = 'command' in effect ? [[span(effect.command, 'dim')]] : [];
  return [
    ...details.map((detail): Line => [span(detail)]),
    ...command,
    [],
    [span('y', 'key'), span(' yes     ', 'dim'), span('n', 'key'), span(' no', 'dim')],
  ];
}
