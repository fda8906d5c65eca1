import {expect, test} from 'vitest';
import type {UiEventContent} from '../../src/tui/types.ts';
import {fold, picture, type Scene, shopScene} from './scenes.ts';
import {pressed} from './screens.ts';

function withEvents(count: number): Scene {
  const {state, logs} = shopScene(80, 24);
  const events = Array.from(
    {length: count},
    (_, index): UiEventContent => ({
      kind: 'notice',
      level: 'info',
      text: `number ${index}`,
    }),
  );
  return {state: {...fold({...state, events: []}, ...events)}, logs};
}

const numbers = (scene: Scene): readonly number[] =>
  [...picture(scene).matchAll(/ · number (\d+) /g)].map(([, number]) => Number(number)).slice(0, 16);

test.each([
  ['?', 'help'],
  ['p', 'plan'],
  ['v', 'events'],
  ['B', 'builds'],
  ['w', 'why'],
])('%s opens %s; the same key, escape and q close it', (name, kind) => {
  const scene = pressed(shopScene(80, 24), name);
  expect(scene.state.overlay?.kind).toBe(kind);
  for (const closing of [name, 'escape', 'q']) expect(pressed(scene, closing).state.overlay).toBeUndefined();
});

test('an overlay takes all keys', () => {
  const scene = pressed(shopScene(80, 24), '?');
  expect(pressed(scene, 's', 'r', 'tab', '/').state).toEqual(scene.state);
});

test('help scrolls to its end and back, and no further', () => {
  const scene = pressed(shopScene(80, 24), '?');
  expect(picture(scene)).toContain('Service');
  const end = pressed(scene, 'end');
  expect(picture(end)).toContain('quit; the stack goes on');
  expect(pressed(end, 'down').state).toEqual(end.state);
  expect(pressed(end, 'home').state).toEqual(scene.state);
  expect(pressed(scene, 'down', 'up').state).toEqual(scene.state);
  expect(pressed(scene, 'pagedown', 'pageup').state).toEqual(scene.state);
});

test('events follow the newest until somebody scrolls up', () => {
  const scene = pressed(withEvents(60), 'v');
  expect(numbers(scene).at(-1)).toBe(59);
  const up = pressed(scene, 'up', 'up');
  expect(numbers(up).at(-1)).toBe(57);
  expect(numbers(pressed(scene, 'home'))[0]).toBe(0);
  expect(numbers(pressed(scene, 'home', 'end')).at(-1)).toBe(59);
});

test('a place that is no more after the screen has grown is forgotten with the next key', () => {
  const scene = pressed(shopScene(80, 12), '?', 'end');
  const grown = {...scene, state: fold(scene.state, {kind: 'resize', columns: 200, rows: 60})};
  expect(picture(grown)).toContain('quit; the stack goes on');
  expect(pressed(grown, 'up').state.overlay).toEqual({kind: 'help', top: 0});
});

test('the plan offers to be applied only where it would change something', () => {
  const plan = {changes: 1, summary: '', text: '', services: [], starts: [], questions: []};
  const footer = (more: object): string =>
    picture(withPlan({...plan, ...more}))
      .split('\n')
      .at(-2) ?? '';
  function withPlan(shown: typeof plan): Scene {
    const {state, logs} = shopScene(80, 24);
    return pressed({state: {...state, plan: shown}, logs}, 'p');
  }
  expect(footer({})).toContain('a apply');
  expect(footer({changes: 0})).not.toContain('apply');
  expect(footer({changes: 0})).toContain('r plan anew');
  expect(footer({problem: 'error'})).not.toContain('apply');
});
