import fc from 'fast-check';
import {expect, test} from 'vitest';
import {ruleFilter} from '../../../src/watch/files/filter.ts';

const path = '/work/src';
const kept = (filter: ReturnType<typeof ruleFilter>, names: readonly string[]) =>
  names.filter((name) => filter.includes(name));

test('ignore is a .dockerignore file from the rule on: later patterns win, a directory takes what is in it along', () => {
  const filter = ruleFilter({path, ignore: ['node_modules', '**/*.log', '!keep.log', 'build/**', '!build/out']});
  expect(
    kept(filter, ['a', 'node_modules', 'node_modules/x', 'deep/node_modules/x', 'a.log', 'b/a.log', 'keep.log']),
  ).toEqual(['a', 'deep/node_modules/x', 'keep.log']);
  expect(kept(filter, ['build', 'build/x', 'build/out', 'build/out/y'])).toEqual(['build', 'build/out', 'build/out/y']);
  expect(['node_modules', 'build', 'build/x', 'deep'].filter(filter.prunes)).toEqual(['node_modules', 'build/x']);
});

test('include leaves out all else; directories on the way are entered, others are not', () => {
  const filter = ruleFilter({path, include: ['*.html', 'css/**'], ignore: ['css/old']});
  expect(kept(filter, ['', 'index.html', 'deep/index.html', 'css/a', 'css/old/b', 'js/a'])).toEqual([
    '',
    'index.html',
    'css/a',
  ]);
  expect(['', 'css', 'css/old', 'js'].filter(filter.prunes)).toEqual(['css/old', 'js']);
});

test('what editors leave beside a file and what git keeps never counts, at any depth', () => {
  const filter = ruleFilter({path});
  const temporary = [
    '.git/index',
    'sub/.git',
    'a.txt~',
    '.a.txt.swp',
    'b/.a.swx',
    '4913',
    '#a#',
    '.#a',
    'a.txt___jb_tmp___',
    '.idea/workspace.xml',
    '.a.kate-swp',
    'x-go-tmp-umask',
  ];
  expect(kept(filter, temporary)).toEqual([]);
  expect(kept(filter, ['.gitignore', 'git/index', 'a~b', '49133', 'swp', '.swap'])).toHaveLength(6);
  expect(filter.prunes('.git')).toBe(true);
});

test("the build's list counts from its context on, wherever the rule's path lies", () => {
  const context = (place: string, ignore: readonly string[]) => ruleFilter({path, context: {path: place, ignore}});
  // The context above the rule, the same, below it, elsewhere.
  expect(kept(context('/work', ['src/secret', 'other']), ['secret', 'other'])).toEqual(['other']);
  expect(kept(context('/work/src', ['secret']), ['secret', 'other'])).toEqual(['other']);
  expect(kept(context('/work/src/app', ['secret']), ['secret', 'app/secret', 'app/other'])).toEqual([
    'secret',
    'app/other',
  ]);
  expect(kept(context('/elsewhere', ['**']), ['secret'])).toEqual(['secret']);
  expect(kept(context('/work/sr', ['**']), ['secret'])).toEqual(['secret']);
  // The rule's own directory left out by the build: nothing of it counts.
  const whole = context('/work', ['src']);
  expect(kept(whole, ['', 'a'])).toEqual([]);
  expect(whole.prunes('')).toBe(true);
});

test('a pruned directory holds nothing that counts, whatever the patterns are', () => {
  const word = fc.constantFrom('a', 'b', 'c', 'node_modules', 'x.log');
  const name = fc.array(word, {minLength: 1, maxLength: 4}).map((parts) => parts.join('/'));
  const pattern = fc
    .tuple(
      fc.constantFrom('', '!'),
      fc.array(fc.oneof(word, fc.constantFrom('*', '**', '?', '*.log')), {minLength: 1, maxLength: 3}),
    )
    .map(([not, parts]) => `${not}${parts.join('/')}`);
  const patterns = fc.array(pattern, {maxLength: 4});
  fc.assert(
    fc.property(patterns, patterns, name, name, (ignore, include, directory, below) => {
      const filter = ruleFilter({path, ignore, include, context: {path: '/work', ignore}});
      if (!filter.prunes(directory)) return;
      expect([directory, `${directory}/${below}`].filter(filter.includes)).toEqual([]);
    }),
    {numRuns: 2_000},
  );
});
