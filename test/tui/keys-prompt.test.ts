import {expect, test} from 'vitest';
import {reduceKey} from '../../src/tui/keys.ts';
import type {Key, UiState} from '../../src/tui/types.ts';
import {type Scene, shopScene} from './scenes.ts';
import {key, pressed} from './screens.ts';

const open = (kind: '/' | 'f' = '/'): Scene => pressed(shopScene(100, 30), kind);
const type = (scene: Scene, ...keys: readonly (string | Key)[]): UiState =>
  keys.reduce<UiState>(
    (state, one) => reduceKey(state, typeof one === 'string' ? key(one) : one, scene.logs).state,
    scene.state,
  );
const ctrl = (name: string): Key => key(name, {ctrl: true, text: ''});
const paste = (text: string): Key => key('paste', {text});

test('what is typed is searched at once, enter keeps it, escape takes it back', () => {
  const typed = type(open(), 'p', 'o', 'o', 'l');
  expect(typed).toMatchObject({prompt: {text: 'pool', cursor: 4}, log: {search: 'pool'}});
  expect(typed.log.match).toBeDefined();
  expect(type(open(), 'p', 'enter')).toMatchObject({prompt: undefined, log: {search: 'p'}});
  expect(type(open(), 'p', 'escape')).toMatchObject({prompt: undefined, log: {search: '', position: 'follow'}});
  expect(type(open('f'), 'w', 'e', 'b')).toMatchObject({prompt: {kind: 'filter'}, log: {filter: 'web', search: ''}});
});

test('the text in force is there to be changed', () => {
  expect(pressed(pressed(open(), 'a', 'b', 'enter'), '/').state.prompt).toEqual({
    kind: 'search',
    text: 'ab',
    cursor: 2,
  });
});

test.each([
  [['a', 'b', 'left', 'c'], 'acb', 2],
  [['a', 'b', 'home', 'c'], 'cab', 1],
  [['a', 'b', 'home', 'end', 'c'], 'abc', 3],
  [['a', 'b', 'left', 'right', 'right', 'c'], 'abc', 3],
  [['a', 'b', 'backspace'], 'a', 1],
  [['a', 'b', 'home', 'backspace'], 'ab', 0],
  [['a', 'b', 'home', 'delete'], 'b', 0],
  [['a', 'b', ctrl('a'), ctrl('k')], '', 0],
  [['a', 'b', ctrl('a'), 'c', ctrl('e'), 'd'], 'cabd', 4],
  [['a', 'b', 'left', ctrl('u')], 'b', 0],
  [[paste('one two  '), ctrl('w')], 'one ', 4],
  [[paste('two\nlines\x1b')], 'two lines ', 10],
  [['a', 'space', 'b'], 'a b', 3],
  [[paste('👩‍👩‍👧é'), 'backspace', 'left', 'x'], 'x👩‍👩‍👧', 1],
  [['a', ctrl('q'), key('b', {meta: true}), 'tab', 'f5', 'up'], 'a', 1],
] as const)('%j leaves "%s" with the cursor at %i', (keys, text, cursor) => {
  expect(type(open(), ...keys).prompt).toEqual({kind: 'search', text, cursor});
});
