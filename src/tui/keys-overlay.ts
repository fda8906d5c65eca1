import {boxHeight} from './box.ts';
import {unicodeGlyphs} from './glyphs.ts';
import {openUrl} from './keys-action.ts';
import {layoutOf} from './layout.ts';
import type {Overlay} from './overlay.ts';
import {overlayBox} from './overlay-content.ts';
import {canApply} from './pending.ts';
import {portTargets} from './ports.ts';
import type {Key, KeyResult, UiState} from './types.ts';

/** While an overlay is open all keys are its own. */
export function overlayKey(state: UiState, overlay: Overlay, key: Key): KeyResult {
  const closed = {...state, overlay: undefined};
  if (overlay.kind === 'confirm') {
    if (key.name === 'y' || key.name === 'Y') return {state: closed, effects: [overlay.effect]};
    return ['n', 'N', 'escape', 'q'].includes(key.name) ? {state: closed, effects: []} : {state, effects: []};
  }
  if (key.name === 'escape' || key.name === 'q' || key.name === openers[overlay.kind])
    return {state: closed, effects: []};
  if (overlay.kind === 'ports') return portsKey(state, overlay, key);
  if (overlay.kind === 'plan' && key.name === 'a') return applyKey(state, closed);
  if (overlay.kind === 'plan' && key.name === 'r')
    return {state, effects: [{kind: 'refreshPlan', command: `${state.command} plan`}]};
  const by = scrollBy(state, key);
  return by === 0 ? {state, effects: []} : {state: {...state, overlay: scrolled(state, overlay, by)}, effects: []};
}

/** The key that opened it closes it as well. */
const openers: Readonly<Record<Exclude<Overlay['kind'], 'confirm'>, string>> = {
  help: '?',
  plan: 'p',
  events: 'v',
  builds: 'B',
  why: 'w',
  ports: 'o',
};

function portsKey(state: UiState, overlay: Overlay & {readonly kind: 'ports'}, key: Key): KeyResult {
  const targets = portTargets(state, overlay.service);
  if (key.name === 'enter') {
    const url = targets[overlay.selected]?.url;
    if (url === undefined) return {state: {...state, hint: 'no browser opens that port'}, effects: []};
    return {state: {...state, overlay: undefined}, effects: [openUrl(url)]};
  }
  const by = key.name === 'up' || key.name === 'k' ? -1 : key.name === 'down' || key.name === 'j' ? 1 : 0;
  const selected = Math.max(0, Math.min(targets.length - 1, overlay.selected + by));
  return {state: selected === overlay.selected ? state : {...state, overlay: {...overlay, selected}}, effects: []};
}

function applyKey(state: UiState, closed: UiState): KeyResult {
  const {plan} = state;
  if (plan === undefined || !canApply(state))
    return {state: {...state, hint: 'there is nothing to apply'}, effects: []};
  const effect = {kind: 'applyPlan', command: `${state.command} up -d`} as const;
  if (plan.questions.length === 0) return {state: closed, effects: [effect]};
  return {
    state: {...state, overlay: {kind: 'confirm', question: 'Apply the plan?', details: plan.questions, effect}},
    effects: [],
  };
}

function scrollBy(state: UiState, key: Key): number {
  const page = Math.max(1, boxHeight(overlayRows(state), state.columns, Number.MAX_SAFE_INTEGER) - 1);
  switch (key.name) {
    case 'up':
    case 'k':
      return -1;
    case 'down':
    case 'j':
      return 1;
    case 'pageup':
    case 'b':
      return -page;
    case 'pagedown':
    case 'space':
      return page;
    case 'home':
    case 'g':
      return Number.NEGATIVE_INFINITY;
    case 'end':
    case 'G':
      return Number.POSITIVE_INFINITY;
    default:
      return 0;
  }
}

/** The rows that overlays are drawn over: all but the footer. */
function overlayRows(state: UiState): number {
  return state.rows - layoutOf(state, state.columns, state.rows).footer;
}

function scrolled(state: UiState, overlay: Overlay, by: number): Overlay {
  const context = {
    state,
    glyphs: unicodeGlyphs,
    now: 0,
    utcOffsetMinutes: 0,
    columns: state.columns,
    rows: overlayRows(state),
  };
  const {lines} = overlayBox(context, overlay);
  const most = Math.max(0, lines.length - boxHeight(overlayRows(state), state.columns, lines.length));
  const clamp = (value: number): number => Math.max(0, Math.min(most, value));
  switch (overlay.kind) {
    case 'events':
    case 'builds':
      return {...overlay, above: clamp(overlay.above - by)};
    case 'help':
    case 'plan':
    case 'why':
      return {...overlay, top: clamp(Math.min(overlay.top, most) + by)};
    case 'ports':
    case 'confirm':
      return overlay;
  }
}
