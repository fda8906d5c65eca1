import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {type CommandResult, makeHost, projectDirectory, type TestHost} from '../support/host.ts';
import {imageArchive, loadImages} from '../support/test-images.ts';
import {compareFacts, type Facts, flattenAnswer, needlessRows, rowsByMachine} from './parity/compare.ts';
import {differences} from './parity/differences.ts';
import {inspectOnHost} from './parity/inspect.ts';
import {isOfThisMachine, type RecordedOn} from './parity/machine.ts';
import {writeRootArchive} from './parity/root-archive.mjs';
import {type Answer, readPlan, runStack} from './parity/run-stack.mjs';

const stacks = join(projectDirectory, 'test/e2e/parity');
const recordings = join(projectDirectory, 'test/recorded/parity');
const names = readdirSync(stacks).flatMap((file) => (file.endsWith('.yaml') ? [file.slice(0, -5)] : []));

async function loadStackImages(host: TestHost, file: string): Promise<void> {
  await loadImages(host, ['busybox']);
  const rootTar = join(host.directory, 'root.tar');
  writeRootArchive(imageArchive('busybox'), rootTar);
  for (const [image, changes] of Object.entries(readPlan(file).images)) {
    const words = changes.flatMap((change) => ['-c', change]);
    const {code, stderr} = await host.tscompose(['load', '-q', '-i', rootTar, '--import', image, ...words]);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
  }
}

type Compose = (host: TestHost, words: readonly string[]) => Promise<CommandResult>;

/** What our own engine answers to a probe stack. */
async function ask(name: string, compose: Compose = (host, words) => host.tscompose(words)): Promise<Facts> {
  const file = join(stacks, `${name}.yaml`);
  await using host = await makeHost();
  await loadStackImages(host, file);
  const answer = await runStack(file, {
    async compose(words) {
      const outcome = await compose(host, words);
      // A fault of the program is no answer to compare.
      expect({code: outcome.code, stderr: outcome.code === 70 ? outcome.stderr : ''}).not.toMatchObject({code: 70});
      return outcome;
    },
    inspect: (container) => inspectOnHost(host, container),
  });
  expect(host.leftovers()).toEqual([]);
  return flattenAnswer(answer, name);
}

interface Recording extends RecordedOn {
  readonly answer: Answer;
}

function readRecording(name: string): Recording {
  return JSON.parse(readFileSync(join(recordings, `${name}.json`), 'utf8')) as Recording;
}

const {rowsHere, rowsElsewhere} = rowsByMachine(differences);

/** Stacks whose answers were compared, to tell rows of the table that nothing needs any more. */
const seen: {readonly theirs: Facts; readonly ours: Facts}[] = [];

describe('side by side with Docker', () => {
  test.each(names)('%s', {timeout: 240_000}, async (name) => {
    const recording = readRecording(name);
    const facts = {theirs: flattenAnswer(recording.answer, name), ours: await ask(name)};
    const here = isOfThisMachine(recording);
    if (here) seen.push(facts);
    const {theirs, ours} = compareFacts(facts, here ? rowsHere : rowsElsewhere);
    expect(ours).toEqual(theirs);
  });

  test('users, also where whoever starts them keeps his files to himself', {timeout: 240_000}, async () => {
    const cli = join(projectDirectory, 'dist/cli.cjs');
    const ours = await ask('users', (host, words) =>
      host.command('sh', ['-c', 'umask 077; exec "$@"', 'sh', process.execPath, cli, ...words]),
    );
    const recording = readRecording('users');
    const compared = compareFacts(
      {theirs: flattenAnswer(recording.answer, 'users'), ours},
      isOfThisMachine(recording) ? rowsHere : rowsElsewhere,
    );
    expect(compared.ours).toEqual(compared.theirs);
  });

  test('every difference in the table is there', ({skip}) => {
    if (seen.length < names.length) skip('needs all stacks, on a machine like that of the recordings');
    expect(needlessRows(rowsHere, seen)).toEqual([]);
  });
});
