import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {projectDirectory} from '../support/host.ts';
import {differences} from './differences.ts';

const [, section = ''] = readFileSync(join(projectDirectory, 'docs/engine.md'), 'utf8').split(
  '\n## Where this engine is not as Docker\n',
);
const lines = section.split('\n');
const whats = lines.filter((line) => line.startsWith('| ')).map((line) => line.split(' | ')[0]?.slice(2));
const before = lines.slice(0, lines.indexOf('| what | here | Docker |')).join(' ');

test('users can read of every difference that concerns them', () => {
  expect(whats.length).toBeGreaterThan(30);
  const told = differences.flatMap((row) => ('docs' in row ? [row.docs] : []));
  expect(told.length).toBeGreaterThan(30);
  expect(told.filter((docs) => !whats.includes(docs) && !before.includes(docs))).toEqual([]);
});

test('nothing is told twice', () => {
  expect(whats.filter((what, index) => whats.indexOf(what) !== index)).toEqual([]);
});

test('of the others it is said why nobody needs to know', () => {
  const silent = differences.flatMap((row) => ('notForUsers' in row ? [row.notForUsers] : []));
  expect(silent.filter((why) => why.length < 20)).toEqual([]);
});
