import fc from 'fast-check';
import stringWidth from 'fast-string-width';
import {expect, test} from 'vitest';
import {formatTable} from '../../src/cli/table.ts';

const header = ['NAME', 'IMAGE', 'STATUS', 'PORTS'];
const rows = [
  ['shop-web-1', 'nginx', 'Up 2 minutes (healthy)', '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp'],
  ['shop-db-1', 'postgres:17', 'Exited (1)', ''],
];
const fit = {drop: ['IMAGE', 'PORTS'], cut: {PORTS: 10}};

test('for a file the table is whole', () => {
  expect(formatTable(header, rows, {...fit, columns: undefined})).toBe(formatTable(header, rows));
  expect(formatTable(header, rows)).toBe(`\
NAME         IMAGE         STATUS                   PORTS
shop-web-1   nginx         Up 2 minutes (healthy)   0.0.0.0:8080->80/tcp, [::]:8080->80/tcp
shop-db-1    postgres:17   Exited (1)
`);
});

test('in a narrow terminal columns are left out in the given order, and what may be cut is cut', () => {
  expect(formatTable(header, rows, {...fit, columns: 70})).toBe(`\
NAME         IMAGE         STATUS                   PORTS
shop-web-1   nginx         Up 2 minutes (healthy)   0.0.0.0:8080->80/…
shop-db-1    postgres:17   Exited (1)
`);
  expect(formatTable(header, rows, {...fit, columns: 50})).toBe(`\
NAME         STATUS                   PORTS
shop-web-1   Up 2 minutes (healthy)   0.0.0.0:808…
shop-db-1    Exited (1)
`);
  expect(formatTable(header, rows, {...fit, columns: 40})).toBe(`\
NAME         STATUS
shop-web-1   Up 2 minutes (healthy)
shop-db-1    Exited (1)
`);
  expect(formatTable(header, rows, {...fit, columns: 20})).toBe(`\
NAME         STATUS
shop-web-1   Up 2 m…
shop-db-1    Exited…
`);
});

test('no line is wider than a terminal that has room for a cell of each column', () => {
  const cell = fc.string({unit: fc.constantFrom('a', ' ', '漢', '👩‍🚀', 'e\u0301'), maxLength: 30});
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell, cell), {maxLength: 5}),
      fc.integer({min: 8, max: 100}),
      (some, columns) => {
        for (const line of formatTable(header, some, {...fit, columns}).split('\n'))
          expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      },
    ),
  );
});

test('a cell cannot move the cursor, colour the terminal, or begin a line', () => {
  const rows = [
    ['linux/x\x1b[31m\nRED', '\x1b]0;title\x07b'],
    [' c', '\x9b2Jd'],
  ];
  expect(formatTable(['A', 'B'], rows)).toBe('A             B\nlinux/x RED   b\n c             2Jd\n');
});
