import {Terminal} from '@xterm/headless';
import fc from 'fast-check';
import stringWidth from 'string-width';
import {expect, test} from 'vitest';
import {screenUpdate} from '../../src/tui/app/screen-update.ts';
import {cellsOf} from '../../src/tui/cells.ts';
import {LogStore} from '../../src/tui/log-store.ts';
import {renderLines} from '../../src/tui/render.ts';
import type {Theme} from '../../src/tui/types.ts';
import {view} from '../../src/tui/view.ts';
import {anyScene} from './any-state.ts';
import {anyText} from './any-text.ts';
import {ascii, emptyScene, fullColor, noColor, now, type Scene} from './scenes.ts';

const runs = process.env['TSCOMPOSE_TEST_LEVEL'] === 'long' ? 10_000 : 600;
const theme: fc.Arbitrary<Theme> = fc.constantFrom(noColor, fullColor, ascii, {color: 'basic', ascii: false});

/** What a row may hold beside text: attributes from this set, and nothing else that a terminal obeys. */
const attribute = /^(?:0|[1234579]|3\d|4\d|9\d|10\d|[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3})$/;
const parameters = /[34]8;2;\d+;\d+;\d+|[34]8;5;\d+|[^;]+/g;

function draw({state, logs}: Scene, look: Theme): readonly string[] {
  const {columns, rows} = state;
  return renderLines(view(state, logs, {columns, rows, now, theme: look, utcOffsetMinutes: 90}), look);
}

/** The row without its attributes; throws for an attribute that may not be there. */
function withoutAttributes(row: string): string {
  return row.replace(/\x1b\[([\d;]*)m/g, (_, list: string) => {
    for (const one of list.match(parameters) ?? []) {
      if (!attribute.test(one) || one === '5' || one === '8')
        throw new Error(`attribute ${one} in ${JSON.stringify(row)}`);
    }
    return '';
  });
}

test('whatever happened, the screen has as many rows as the terminal, none wider, and nothing in them but text and attributes', () => {
  fc.assert(
    fc.property(anyScene, theme, (scene, look) => {
      const rows = draw(scene, look);
      expect(rows.length).toBe(scene.state.rows);
      for (const row of rows) {
        const text = withoutAttributes(row);
        expect(text).not.toMatch(/[\p{Cc}\p{Cs}\p{Default_Ignorable_Code_Point}]/u);
        expect(Math.max(cellsOf(text), stringWidth(text))).toBeLessThanOrEqual(scene.state.columns);
        // No look is left on for what comes behind the row.
        expect(row.lastIndexOf('\x1b[') < 0 || row.endsWith('\x1b[0m') || /\x1b\[0m[^\x1b]*$/.test(row)).toBe(true);
      }
    }),
    {numRuns: runs},
  );
});

test('a terminal obeys nothing that a service wrote', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyText, {maxLength: 12}), fc.boolean(), async (lines, wrap) => {
      const {state} = emptyScene(80, 16);
      const logs = new LogStore();
      for (const [index, line] of lines.entries())
        logs.push({id: 'web', service: 'web', number: 1}, 'stdout', Buffer.from(`${line}\n`), now + index);
      const rows = draw({state: {...state, log: {...state.log, wrap}}, logs}, fullColor);
      const terminal = new Terminal({cols: 80, rows: 16, allowProposedApi: true});
      const obeyed: string[] = [];
      terminal.onTitleChange(() => obeyed.push('title'));
      terminal.onBell(() => obeyed.push('bell'));
      terminal.onData((answer) => obeyed.push(`answer ${JSON.stringify(answer)}`));
      terminal.onScroll(() => obeyed.push('scroll'));
      await new Promise<void>((resolve) => terminal.write(`\x1b[?7l${screenUpdate([], rows)}`, resolve));
      const {active} = terminal.buffer;
      expect({obeyed, type: active.type, length: active.length}).toEqual({obeyed: [], type: 'normal', length: 16});
      const first = active.getLine(0)?.translateToString(true) ?? '';
      const last = active.getLine(15)?.translateToString(true) ?? '';
      expect({first: first.trimEnd(), last: last.trimEnd()}).toEqual({
        first: withoutAttributes(rows[0] ?? '').trimEnd(),
        last: withoutAttributes(rows[15] ?? '').trimEnd(),
      });
      terminal.dispose();
    }),
    {numRuns: Math.min(runs, 1500)},
  );
});
