import {expect, test} from 'vitest';
import {keyGroups} from '../../src/tui/key-table.ts';
import {reduceKey} from '../../src/tui/keys.ts';
import type {UiEffect, UiState} from '../../src/tui/types.ts';
import {largeScene, type Scene, shopScene} from './scenes.ts';
import {key, pressed} from './screens.ts';

const shop = (): Scene => shopScene(100, 30);
const after = (scene: Scene, ...names: readonly string[]): UiState => pressed(scene, ...names).state;
const effects = ({state, logs}: Scene, name: string, more = {}): readonly UiEffect[] =>
  reduceKey(state, key(name, more), logs).effects;
const atFirst = (): Scene => {
  const {state, logs} = shop();
  return {state: {...state, selection: {service: 'web'}}, logs};
};

test('arrows and j k move by a line and stop at the ends', () => {
  expect(after(atFirst(), 'down').selection).toEqual({service: 'worker'});
  expect(after(atFirst(), 'j', 'j', 'k').selection).toEqual({service: 'worker'});
  expect(after(atFirst(), 'up').selection).toEqual({service: 'web'});
  expect(after(atFirst(), 'end', 'down').selection).toEqual({service: 'mail'});
  expect(after(atFirst(), 'G', 'g').selection).toEqual({service: 'web'});
});

test('replicas are opened, walked through and closed', () => {
  const open = pressed(atFirst(), 'right');
  expect(open.state.expanded).toEqual(['web']);
  expect(after(open, 'down').selection).toEqual({service: 'web', replica: 1});
  expect(after(open, 'down', 'down', 'down').selection).toEqual({service: 'worker'});
  expect(after(open, 'down', 'left')).toMatchObject({expanded: [], selection: {service: 'web'}});
  expect(after(atFirst(), 'enter', 'enter').expanded).toEqual([]);
  // A service with one container has none to show: its log comes instead.
  expect(after(atFirst(), 'down', 'right').expanded).toEqual([]);
  expect(after(atFirst(), 'down', 'enter')).toMatchObject({focus: 'logs', log: {scope: 'selected'}});
});

test('the table moves along so that the selected line is seen', () => {
  const {state} = pressed(largeScene(100, 30), 'home');
  expect(state).toMatchObject({selection: {service: 'service-01'}, tableTop: 0});
  const end = after({state, logs: largeScene(100, 30).logs}, 'end');
  expect(end.selection).toEqual({service: 'service-50'});
  expect(end.tableTop).toBeGreaterThan(30);
  const page = after({state, logs: shop().logs}, 'pagedown', 'pagedown', 'pageup');
  expect(page.selection?.service).not.toBe('service-01');
});

test('escape goes back step by step: search, filter, scrolled, focus', () => {
  const narrowed = pressed(shop(), '/', ...'pool', 'enter', 'f', ...'web', 'enter', 'home');
  expect(narrowed.state).toMatchObject({focus: 'logs', log: {search: 'pool', filter: 'web'}});
  expect(after(narrowed, 'escape').log).toMatchObject({search: '', filter: 'web'});
  expect(after(narrowed, 'escape', 'escape').log).toMatchObject({filter: '', position: 'follow'});
  expect(after(narrowed, 'escape', 'escape', 'escape').focus).toBe('services');
  const idle = shop();
  expect(after(idle, 'escape')).toBe(idle.state);
});

test('quit, suspend and redraw go to the world, also while something else is open', () => {
  const typing = pressed(shop(), '/');
  const asking = pressed(shop(), 's');
  for (const scene of [shop(), typing, asking]) {
    expect(effects(scene, 'c', {ctrl: true, text: ''})).toEqual([{kind: 'quit'}]);
    expect(effects(scene, 'z', {ctrl: true, text: ''})).toEqual([{kind: 'suspend'}]);
    expect(effects(scene, 'l', {ctrl: true, text: ''})).toEqual([{kind: 'redraw'}]);
  }
  expect(effects(shop(), 'q')).toEqual([{kind: 'quit'}]);
  expect(effects(typing, 'q')).toEqual([]);
});

test('keys without a meaning change nothing, and a hint goes with the next key', () => {
  const scene = shop();
  for (const one of [key('z'), key('f9'), key('insert'), key('r', {ctrl: true}), key('r', {meta: true})])
    expect(reduceKey(scene.state, one, scene.logs)).toEqual({state: scene.state, effects: []});
  const told = pressed(shop(), 'y');
  expect(told.state.hint).toBe('nothing was done yet: there is no command to copy');
  expect(after(told, 'down').hint).toBeUndefined();
});

test('each key of the table has a meaning', () => {
  const names: Readonly<Record<string, readonly string[]>> = {
    'end G': ['end', 'G'],
    'up down': ['up', 'down'],
    esc: ['escape'],
  };
  const scene = pressed(shop(), 'tab', 'home');
  for (const {keys} of keyGroups.flatMap(({rows}) => rows)) {
    for (const name of names[keys] ?? [keys]) {
      const pressedKey = name === 'ctrl-z' ? key('z', {ctrl: true, text: ''}) : key(name);
      const overlaid = name === 'a' ? pressed(scene, 'p') : scene;
      const outcomes = [overlaid, {...overlaid, state: {...overlaid.state, focus: 'services' as const}}].map(
        ({state, logs}) => {
          const result = reduceKey(state, pressedKey, logs);
          return result.state !== state || result.effects.length > 0;
        },
      );
      expect({name, means: outcomes.includes(true)}).toEqual({name, means: true});
    }
  }
});
