import {expect, test} from 'vitest';
import {reduceKey} from '../../src/tui/keys.ts';
import {layoutOf} from '../../src/tui/layout.ts';
import {LogStore} from '../../src/tui/log-store.ts';
import type {UiState} from '../../src/tui/types.ts';
import {container, emptyScene, fold, now, picture, type Scene, shopScene} from './scenes.ts';
import {key, pressed} from './screens.ts';

/** One service that wrote the lines 0 to 99, in a pane that has the focus. */
function counted(wrap = false): Scene {
  const {state} = emptyScene(100, 30);
  const logs = new LogStore();
  for (let line = 0; line < 100; line++)
    logs.push(
      {id: 'web', service: 'web', number: 1},
      'stdout',
      Buffer.from(`line ${line}${line % 10 === 0 ? ' ERROR' : ''}\n`),
      now + line,
    );
  const begun = fold(
    state,
    {kind: 'stack', project: 'shop', services: [{name: 'web', wanted: 1}]},
    {kind: 'snapshot', containers: [container('web', 1)]},
  );
  return {state: {...begun, focus: 'logs', log: {...begun.log, wrap}}, logs};
}

/** The numbers of the lines on the screen. */
function shown(scene: Scene): readonly number[] {
  return [...picture(scene).matchAll(/line (\d+)/g)].map(([, number]) => Number(number));
}

const height = ({columns, rows, ...state}: UiState): number => {
  const pane = layoutOf({columns, rows, ...state}, columns, rows).logs;
  return (pane?.height ?? 0) - (pane?.heading ?? 0);
};

test('the newest lines are followed; up holds, down to the end follows again', () => {
  const scene = counted();
  const rows = height(scene.state);
  expect(shown(scene)).toEqual(Array.from({length: rows}, (_, index) => 100 - rows + index));
  const held = pressed(scene, 'up', 'up');
  expect(shown(held).at(-1)).toBe(97);
  expect(picture(held)).toContain('held · 2 newer');
  held.logs.push({id: 'web', service: 'web', number: 1}, 'stdout', Buffer.from('line 100\n'), now + 200);
  expect(shown(held).at(-1)).toBe(97);
  expect(pressed(held, 'down', 'down', 'down').state.log.position).toBe('follow');
  expect(pressed(held, 'G').state.log.position).toBe('follow');
});

test('home shows the first line at the top, pages overlap by a line', () => {
  const scene = counted();
  const rows = height(scene.state);
  const home = pressed(scene, 'home');
  expect(shown(home)).toEqual(Array.from({length: rows}, (_, index) => index));
  expect(shown(pressed(home, 'up'))).toEqual(shown(home));
  expect(shown(pressed(home, 'pagedown'))[0]).toBe(rows - 1);
  expect(shown(pressed(home, 'down'))[0]).toBe(1);
  expect(shown(pressed(scene, 'pageup', 'pagedown'))).toEqual(shown(scene));
});

test('a search goes from match to match, and begins again at the other end', () => {
  const found = pressed(counted(), 'escape', '/', ...'error', 'enter');
  expect(picture(found)).toContain('/error (10 of 10)');
  expect(shown(found)).toContain(90);
  expect(picture(pressed(found, 'n', 'n'))).toContain('/error (8 of 10)');
  expect(shown(pressed(found, 'n', 'n'))).toContain(70);
  const around = pressed(found, 'N');
  expect(picture(around)).toContain('/error (1 of 10)');
  expect(around.state.hint).toBe('on from the oldest match');
  expect(pressed(around, 'n').state.hint).toBe('on from the newest match');
  expect(pressed(counted(), 'n').state.hint).toBe('nothing is searched: / begins a search');
  expect(pressed(counted(), '/', ...'nowhere', 'enter', 'n').state.log.match).toBeUndefined();
});

test('x goes to the last error, and on to the one before', () => {
  const scene = pressed(counted(), 'x');
  expect(picture(scene)).toContain('/level:error (10 of 10)');
  expect(picture(pressed(scene, 'x'))).toContain('/level:error (9 of 10)');
});

test('wrapped lines are scrolled by lines, and the first is at the top at home', () => {
  const scene = counted(true);
  const long = `line 100 ${'word '.repeat(60)}`;
  scene.logs.push({id: 'web', service: 'web', number: 1}, 'stdout', Buffer.from(`${long}\n`), now + 300);
  expect(shown(scene).at(-1)).toBe(100);
  expect(shown(pressed(scene, 'up')).at(-1)).toBe(99);
  expect(shown(pressed(scene, 'home'))[0]).toBe(0);
});

test('l shows the log of the selected service and of all again; P that of the run before', () => {
  const scene = shopScene(100, 30);
  expect(picture(pressed(scene, 'l'))).toContain('logs of db');
  expect(picture(pressed(scene, 'l', 'l'))).toContain('logs of all services');
  const {state, effects} = reduceKey(scene.state, key('P'), scene.logs);
  expect(effects).toEqual([{kind: 'loadPreviousLog', service: 'db', command: 'tscompose logs db'}]);
  expect(picture({state, logs: scene.logs})).toContain('previous logs of db');
  expect(pressed(scene, 'P', 'P').state.log).toMatchObject({previous: false, scope: 'selected'});
  // Another service is selected: its present log is shown.
  expect(pressed(scene, 'P', 'up').state.log.previous).toBe(false);
});

test('the previous run ends where the present one began', () => {
  const scene = counted();
  const {state} = scene;
  const restarted = fold(state, {kind: 'container', container: container('web', 1, {startedAt: now + 50})});
  const previous = pressed({state: {...restarted, rows: 80}, logs: scene.logs}, 'P');
  expect(shown(previous)).toEqual(Array.from({length: 50}, (_, index) => index));
});

test('wrap and times are switched', () => {
  expect(pressed(counted(), 'W').state.log.wrap).toBe(true);
  expect(pressed(counted(), 't').state.log.timestamps).toBe(false);
  expect(pressed(counted(), 't', 't').state.log.timestamps).toBe(true);
});
