import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {expect, test} from 'vitest';
import {pages} from '../scripts/generate-docs.mjs';
import {renderOperationsHeader} from '../scripts/generate-operations.mjs';

const project = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(project, path), 'utf8');

test('the header of the helper follows the table of operations', async () => {
  expect(read('native/src/operations.h')).toBe(await renderOperationsHeader());
});

test.each(Object.keys(pages))('%s follows its tables', async (path) => {
  expect(read(path)).toBe(await pages[path]?.());
});
