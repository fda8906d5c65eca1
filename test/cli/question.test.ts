import {PassThrough} from 'node:stream';
import {expect, test} from 'vitest';
import {askOnTerminal, type QuestionOptions} from '../../src/cli/question.ts';

type Terminal = Parameters<typeof askOnTerminal>[0];

async function asked(
  typed: string,
  options?: QuestionOptions,
): Promise<{readonly yes: boolean; readonly text: string}> {
  const stdin = Object.assign(new PassThrough(), {isTTY: true});
  const stderr = Object.assign(new PassThrough(), {isTTY: true, columns: 80});
  const answer = askOnTerminal({stdin, stderr} as unknown as Terminal, 'apply it?', options);
  stdin.write(typed);
  const yes = await answer;
  return {yes, text: String(stderr.read() ?? '')};
}

test.each([
  ['y\r', true],
  ['Yes\r', true],
  ['\r', false],
  ['yesterday\r', false],
])('the answer to %j is %s', async (typed, yes) => {
  expect(await asked(typed)).toMatchObject({yes});
});

test('amid the output of others a question has a line of its own, which editing the answer does not draw again', async () => {
  expect((await asked('n\u007fy\r')).text).toContain('apply it? [y/N] ');
  const {yes, text} = await asked('n\u007fy\r', {amidOutput: true});
  expect(yes).toBe(true);
  expect(text.startsWith('apply it? [y/N, then enter]\n')).toBe(true);
  expect(text.match(/apply it/g)).toHaveLength(1);
});
