import {graphemes} from '../base/graphemes.ts';
import {shortTime} from '../report/time.ts';
import {fillLine, lineCells, span, spreadLine} from './line.ts';
import {canApply, pendingOf} from './pending.ts';
import {isUp} from './status.ts';
import type {ActionState, Line, PromptState, Span} from './types.ts';
import {isBuilding} from './view-builds.ts';
import type {ViewContext} from './view-context.ts';

/** The lines at the bottom: what happens now, and the keys. With one line only, the keys give way to what happens. */
export function footerLines(context: ViewContext, count: 0 | 1 | 2): readonly Line[] {
  const {state, columns, glyphs} = context;
  if (count === 0) return [];
  const status = state.prompt === undefined ? statusLine(context) : promptLine(state.prompt);
  const hints = hintLine(context);
  if (count === 1)
    return [
      fillLine(state.prompt !== undefined || state.action?.phase === 'running' ? status : hints, columns, glyphs.cut),
    ];
  return [fillLine(status, columns, glyphs.cut), fillLine(hints, columns, glyphs.cut)];
}

/** The action that runs or ran last, as the command that does the same; else the newest event. */
function statusLine(context: ViewContext): Line {
  const {state, now, columns, glyphs} = context;
  if (state.hint !== undefined) return [span(` ${glyphs.warning} ${state.hint}`, 'warning')];
  const {action} = state;
  const newest = state.events.at(-1);
  if (
    action !== undefined &&
    (action.phase === 'running' ||
      (newest?.time ?? 0) <= (action.endedAt ?? 0) + noticeMs ||
      now - (action.endedAt ?? 0) < noticeMs)
  )
    return actionLine(context, action);
  if (newest === undefined) return [];
  const style = newest.level === 'error' ? 'bad' : newest.level === 'warning' ? 'warning' : 'dim';
  const mark = newest.level === 'error' ? glyphs.bad : newest.level === 'warning' ? glyphs.warning : glyphs.dot;
  const ago = now - newest.time < 1000 ? 'now' : `${shortTime(now - newest.time).replace(/\.\d/, '')} ago`;
  return spreadLine(
    [span(` ${mark} `, style), span(newest.text, style)],
    [span(`${ago} `, 'dim')],
    columns,
    glyphs.cut,
  );
}

const noticeMs = 4000;

function actionLine({now, glyphs, columns}: ViewContext, action: ActionState): Line {
  const took = shortTime((action.endedAt ?? now) - action.startedAt);
  const command = span(action.command, 'strong');
  switch (action.phase) {
    case 'running': {
      const {rows} = action.progress;
      const busy = rows.find(({phase}) => phase === 'working' || phase === 'waiting');
      const what =
        busy === undefined ? '' : `  ${busy.name} ${busy.status}${busy.detail === undefined ? '' : `: ${busy.detail}`}`;
      const step = glyphs.spinner[Math.floor(now / 200) % glyphs.spinner.length] ?? '';
      return spreadLine(
        [span(` ${step} `, 'busy'), command, span(what, 'dim')],
        [span(`${took} `, 'dim')],
        columns,
        glyphs.cut,
      );
    }
    case 'done':
      return [span(` ${glyphs.ok} `, 'good'), command, span(`  ${action.message ?? 'done'} in ${took}`, 'dim')];
    case 'failed':
      return [span(` ${glyphs.bad} `, 'bad'), command, span(`  ${action.message ?? 'failed'}`, 'bad')];
  }
}

function promptLine({kind, text, cursor}: PromptState): Line {
  const pieces = graphemes(text);
  return [
    span(kind === 'search' ? ' search: ' : ' only lines with: ', 'accent'),
    span(pieces.slice(0, cursor).join('')),
    span(pieces[cursor] ?? ' ', 'plain', 'cursor'),
    span(pieces.slice(cursor + 1).join('')),
  ];
}

/** Keys with what they do, as many as there is room for; the last two are always there. */
function hintLine(context: ViewContext): Line {
  const {columns} = context;
  const hints = hintsFor(context);
  const ends = hints.slice(-2).map(hint);
  const line: Span[] = [span(' ')];
  const endCells = ends.reduce((sum, end) => sum + lineCells(end), 0);
  for (const piece of hints.slice(0, -2).map(hint)) {
    if (lineCells(line) + lineCells(piece) + endCells > columns) break;
    line.push(...piece);
  }
  return [...line, ...ends.flat()];
}

type Hint = readonly [key: string, what: string];

function hint([key, what]: Hint): Line {
  return [span(key, 'key'), span(` ${what}   `, 'dim')];
}

function hintsFor({state, glyphs}: ViewContext): readonly Hint[] {
  if (state.prompt !== undefined) {
    const forms: readonly Hint[] = [
      ['!text', 'without'],
      ['/a|b/', 'expression'],
      ['level:warn', 'or worse'],
    ];
    return [...forms, ['enter', 'keep'], ['esc', 'cancel']];
  }
  switch (state.overlay?.kind) {
    case 'confirm':
      return [
        ['y', 'yes'],
        ['n', 'no'],
      ];
    case 'plan':
      return [
        ...(canApply(state) ? ([['a', 'apply']] as const) : []),
        ['r', 'plan anew'],
        [glyphs.upDown, 'scroll'],
        ['esc', 'close'],
      ];
    case 'ports':
      return [
        [glyphs.upDown, 'choose'],
        ['enter', 'open'],
        ['esc', 'close'],
      ];
    case 'help':
    case 'builds':
    case 'events':
    case 'why':
      return [
        [glyphs.upDown, 'scroll'],
        ['esc', 'close'],
      ];
    case undefined:
      break;
  }
  const building: readonly Hint[] = isBuilding(state) ? [['B', 'builds']] : [];
  if (state.focus === 'logs') {
    const searching: readonly Hint[] =
      state.log.search === ''
        ? []
        : [
            ['n', 'older'],
            ['N', 'newer'],
          ];
    const follow: readonly Hint[] = state.log.position === 'follow' ? [] : [['G', 'follow']];
    return [
      ...building,
      ...searching,
      ...follow,
      ['/', 'search'],
      ['f', 'filter'],
      ['l', state.log.scope === 'all' ? 'one service' : 'all services'],
      ['x', 'last error'],
      ['W', 'wrap'],
      ['t', 'times'],
      ['P', 'previous run'],
      ['tab', 'services'],
      ['?', 'help'],
      ['q', 'quit'],
    ];
  }
  const selected = state.services.find(({name}) => name === state.selection?.service);
  const running = selected?.replicas.some((replica) => isUp(replica) || replica.phase === 'restarting');
  const pending: readonly Hint[] = pendingOf(state).changes > 0 ? [['p', 'plan']] : [];
  return [
    ...building,
    ...pending,
    ['tab', 'logs'],
    ['r', 'restart'],
    ['s', running === true ? 'stop' : 'start'],
    ['e', 'shell'],
    ['o', 'open'],
    ['w', 'why'],
    ['l', state.log.scope === 'all' ? 'its log' : 'all logs'],
    ['/', 'search'],
    ['v', 'events'],
    ...(pending.length > 0 ? [] : [['p', 'plan'] as const]),
    ['?', 'help'],
    ['q', 'quit'],
  ];
}
