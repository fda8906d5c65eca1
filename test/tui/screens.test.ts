import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {renderLines} from '../../src/tui/render.ts';
import type {Theme} from '../../src/tui/types.ts';
import {view} from '../../src/tui/view.ts';
import {ascii, fullColor, noColor, now, type Scene} from './scenes.ts';
import {readScreen} from './screen-text.ts';
import {screens} from './screens.ts';

/** Record anew what the screens look like: TSCOMPOSE_RECORD=1 npx vitest run test/tui/screens.test.ts */
const record = process.env['TSCOMPOSE_RECORD'] === '1';
const directory = join(import.meta.dirname, 'screens');

/** Columns and rows. */
const sizes = [
  [40, 14],
  [80, 24],
  [120, 28],
  [200, 32],
] as const;

const basic: Theme = {color: 'basic', ascii: false};

const cases = Object.keys(screens).flatMap((name) => sizes.map(([columns, rows]) => ({name, columns, rows})));

test.each(cases)('screen $name at $columns columns', ({name, columns, rows}) => {
  const scene = screens[name]?.(columns, rows);
  if (scene === undefined) throw new Error(`no screen ${name}`);
  const text = screenFile(scene);
  const file = join(directory, `${name}-${columns}.txt`);
  if (record) {
    mkdirSync(directory, {recursive: true});
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, 'utf8'));
});

test('each recorded screen is one of these', () => {
  expect(readdirSync(directory).sort()).toEqual(cases.map(({name, columns}) => `${name}-${columns}.txt`).sort());
});

/** The same screen without colours, in ASCII, and the looks of its cells with 256 and with 8 colours. */
function screenFile(scene: Scene): string {
  const plain = readScreen(draw(scene, noColor));
  const rich = readScreen(draw(scene, fullColor));
  const poor = readScreen(draw(scene, basic));
  expect(rich.plain).toEqual(plain.plain);
  expect(poor.plain).toEqual(plain.plain);
  const parts = {
    'without colours': plain.plain,
    ASCII: readScreen(draw(scene, ascii)).plain,
    'looks, 256 colours': [...rich.looks, ...rich.legend],
    'looks, 8 colours': poor.legend,
    'looks, no colours': plain.legend,
  };
  return Object.entries(parts)
    .map(([title, lines]) => `== ${title}\n${lines.join('\n')}\n`)
    .join('');
}

function draw({state, logs}: Scene, theme: Theme): readonly string[] {
  const {columns, rows} = state;
  return renderLines(view(state, logs, {columns, rows, now, theme, utcOffsetMinutes: 0}), theme);
}
