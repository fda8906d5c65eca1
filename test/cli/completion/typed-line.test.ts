import {expect, test} from 'vitest';
import {commands} from '../../../src/cli/commands.ts';
import {readTypedLine} from '../../../src/cli/completion/typed-line.ts';
import {parseCommandLine} from '../../../src/cli/parse.ts';

const read = (...words: readonly string[]) => readTypedLine(words, commands);

test.each<readonly [readonly string[], string]>([
  [[''], 'command'],
  [['-f', 'a.yaml', 'lo'], 'command'],
  [['-'], 'flag'],
  [['-f', ''], 'value'],
  [['--file=co'], 'value'],
  [['--all-resources', ''], 'command'],
  [['logs', ''], 'argument'],
  [['logs', '-'], 'flag'],
  [['logs', '-f', ''], 'argument'],
  [['logs', '-n', ''], 'value'],
  [['logs', '-fn', ''], 'value'],
  [['logs', '-n5', ''], 'argument'],
  [['logs', '--tail=5', ''], 'argument'],
  [['logs', '--', '-'], 'argument'],
  [['exec', '-'], 'flag'],
  [['exec', '-T', 'web', '-'], 'argument'],
  [['exec', '-u', ''], 'value'],
  [['up', '--unknown', ''], 'argument'],
  [['up', '--detach='], 'flag'],
])('%j asks for a %s', (words, kind) => {
  expect(read(...words).wanted.kind).toBe(kind);
});

test('what was typed is known: command, flags, arguments, the value that is begun', () => {
  const line = read('-p', 'shop', 'stats', '--no-stream', 'web', '--format=js');
  expect(line).toMatchObject({args: ['web'], current: 'js', wanted: {kind: 'value', before: '--format='}});
  expect(line.command?.name).toBe('stats');
  expect([...line.given]).toEqual(['no-stream']);
});

test.each([
  [['-f', 'a.yaml', '--file=b.yaml', '-p', 'shop', '--profile', 'x', '--profile=y', '--all-resources']],
  [['-fa.yaml', '--env-file', 'e', '--parallel', '3', '--host=unix:///x', '--root', '/r']],
  [[]],
])('options of the whole are read as the parser reads them: %j', (options) => {
  const parsed = parseCommandLine([...options, 'ps']);
  if (parsed.kind !== 'run') throw new Error('no command was read');
  expect(read(...options, 'ps', '').global).toEqual(parsed.global);
});
