import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {Terminal} from '@xterm/headless';
import {expect, test} from 'vitest';
import {startInk} from '../../../src/tui/app/ink-compat.tsx';
import Output from '../../../src/tui/app/ink-output.ts';
import {renderLines} from '../../../src/tui/render.ts';
import type {Theme} from '../../../src/tui/types.ts';
import {view} from '../../../src/tui/view.ts';
import {fullColor, noColor, now} from '../scenes.ts';
import {screens} from '../screens.ts';

type OutputClass = new (size: {readonly width: number; readonly height: number}) => Pick<Output, 'write' | 'get'>;

/** Ink's own, which ours stands for in the bundle. */
async function inksOutput(): Promise<OutputClass> {
  const ink = dirname(createRequire(import.meta.url).resolve('ink'));
  const module = (await import(pathToFileURL(join(ink, 'output.js')).href)) as {readonly default: OutputClass};
  return module.default;
}

/** Each cell with its look, as a terminal has it. */
async function cells(rows: readonly string[], columns: number): Promise<readonly string[]> {
  const terminal = new Terminal({cols: columns, rows: rows.length, allowProposedApi: true});
  const text = rows.map((row, index) => `\x1b[${index + 1};1H${row}\x1b[0m`).join('');
  await new Promise<void>((resolve) => terminal.write(`\x1b[?7l${text}`, resolve));
  return rows.map((_, row) => {
    const line = terminal.buffer.active.getLine(row);
    return Array.from({length: columns}, (_, column) => {
      const cell = line?.getCell(column);
      const character = cell?.getChars() || ' ';
      // A blank without a background looks the same in any colour.
      if (character === ' ' && cell?.isBgDefault() && !cell.isInverse()) return ' ';
      return `${character}/${cell?.getFgColor()}/${cell?.getBgColor()}/${cell?.isBold()}/${cell?.isInverse()}`;
    }).join('|');
  });
}

function draw(name: string, columns: number, rows: number, theme: Theme): readonly string[] {
  const scene = screens[name]?.(columns, rows);
  if (scene === undefined) throw new Error(`no screen ${name}`);
  return renderLines(view(scene.state, scene.logs, {columns, rows, now, theme, utcOffsetMinutes: 0}), theme);
}

test.each(['shop', 'search', 'help', 'large'])(
  'the screen "%s" is the same by our output and by that of Ink',
  async (name) => {
    const Theirs = await inksOutput();
    for (const [columns, rows] of [
      [40, 14],
      [120, 28],
    ] as const) {
      for (const theme of [noColor, fullColor]) {
        const drawn = draw(name, columns, rows, theme);
        const outputs = [Theirs, Output].map((Class) => {
          const output = new Class({width: columns, height: rows});
          const blank = Array.from({length: rows}, () => ' ').join('\n');
          output.write(0, 0, blank, {transformers: [(_, index) => drawn[index] ?? '']});
          return output.get().output.split('\n');
        });
        const [theirs = [], ours = []] = await Promise.all(outputs.map((lines) => cells(lines, columns)));
        expect(ours).toEqual(theirs);
        expect(ours).toEqual(await cells(drawn, columns));
      }
    }
  },
);

test('Ink hands over each frame whole and at once, at any height', () => {
  const frames: (readonly string[])[] = [];
  const ink = startInk((rows) => frames.push(rows));
  for (const rows of [['a', 'b', 'c'], ['a', 'x', 'c'], ['only'], Array.from({length: 60}, (_, row) => `row ${row}`)]) {
    ink.show(rows, 20);
    expect(frames.at(-1)).toEqual(rows);
  }
  const count = frames.length;
  ink.close();
  expect(frames.length).toBe(count);
});
