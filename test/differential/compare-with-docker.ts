import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {Docker} from '../../src/client/docker.ts';
import {openOverSocket} from '../conformance/targets.ts';
import {compareFacts, type Facts, flattenAnswer, needlessRows, rowsByMachine} from '../e2e/parity/compare.ts';
import {isOfThisMachine, type RecordedOn, thisMachine} from '../e2e/parity/machine.ts';
import {projectDirectory} from '../support/host.ts';
import {type Bench, openBench} from './bench.ts';
import type {Cases} from './case.ts';
import {differences, factDifferences} from './differences.ts';
import {type CaseAnswer, runCase} from './run-case.ts';

interface Recording extends RecordedOn {
  readonly docker: string;
  readonly recorded: string;
  /** What inspect and list say of a container that asks for nothing. */
  readonly baseline: Seen;
  readonly answers: Readonly<Record<string, CaseAnswer>>;
}
type Seen = Readonly<Record<string, readonly string[]>>;

const dockerSocket = process.env['TSCOMPOSE_TEST_DOCKER'] ?? '';
const isRecording = process.env['TSCOMPOSE_RECORD'] === 'differential';

/**
 * Declares a test a case: the built-in engine answers as the real one did (`test/recorded/differential`), and, where
 * `TSCOMPOSE_TEST_DOCKER` names the socket of one, as it does now. Everything but the rows of `differences` is the same.
 */
export function compareWithDocker(noun: string, cases: Cases): void {
  const file = join(projectDirectory, 'test/recorded/differential', `${noun}.json`);
  if (isRecording) record(noun, cases, file);
  else {
    const recording = JSON.parse(readFileSync(file, 'utf8')) as Recording;
    describe(`${noun}: as Docker ${recording.docker} answered`, () => {
      test('every case is recorded, and nothing else', () => {
        expect(Object.keys(recording.answers)).toEqual(Object.keys(cases));
      });
      compare(noun, cases, {...recording, answer: async (name) => recording.answers[name] ?? {}});
    });
    describe.skipIf(dockerSocket === '')(`${noun}: as Docker answers now`, () => {
      const engine = openedFor(async () => {
        const docker = new Docker({socketPath: dockerSocket});
        return {docker, close: () => docker.close()};
      });
      compare(noun, cases, {
        ...thisMachine(),
        get baseline() {
          return engine().baseline;
        },
        answer: (_name, steps) => runCase(engine(), steps),
      });
    });
  }
}

interface Theirs extends RecordedOn {
  readonly baseline: Seen;
  answer(name: string, steps: Cases[string]): Promise<CaseAnswer>;
}

function compare(noun: string, cases: Cases, theirs: Theirs): void {
  const ours = openedFor(openOverSocket);
  const own = differences.filter(({of}) => of.includes(noun));
  const rows = rowsByMachine([...own, ...factDifferences]);
  const isHere = isOfThisMachine(theirs);
  const seen: {readonly theirs: Facts; readonly ours: Facts}[] = [];
  const check = (answers: {readonly theirs: CaseAnswer; readonly ours: CaseAnswer}, name: string) => {
    const facts = {theirs: factsOf(answers.theirs, name), ours: factsOf(answers.ours, name)};
    const compared = compareFacts(facts, isHere ? rows.rowsHere : rows.rowsElsewhere);
    expect(compared.ours).toEqual(compared.theirs);
    // Whatever the other engine says of itself: here it would be a fault of the program.
    expect(
      [...facts.ours].filter(([path, lines]) => path.endsWith('/error') && lines[0]?.startsWith('internal')),
    ).toEqual([]);
    seen.push(facts);
  };
  test('a container that asks for nothing', () => {
    check({theirs: {baseline: theirs.baseline}, ours: {baseline: ours().baseline}}, 'baseline');
  });
  test.concurrent.for(Object.entries(cases))('%s', async ([name, steps]) => {
    const [one, other] = await Promise.all([runCase(ours(), steps), theirs.answer(name, steps)]);
    check({ours: one, theirs: other}, name);
  });
  test('every difference in the table is there', ({skip}) => {
    if (!isHere) skip('needs a machine like that of the recording');
    if (seen.length <= Object.keys(cases).length) skip('needs all cases');
    expect(needlessRows(rows.rowsHere, seen).filter((row) => own.some((one) => one === row))).toEqual([]);
  });
}

/** Words of errors are each engine's own: they are recorded to be read. */
function factsOf(answer: CaseAnswer, name: string): Facts {
  const facts = flattenAnswer(answer, name);
  return new Map([...facts].filter(([path]) => !path.endsWith('/words')));
}

function openedFor(open: () => Promise<{readonly docker: Docker; close(): Promise<void>}>): () => Bench {
  let opened: {readonly bench: Bench; close(): Promise<void>} | undefined;
  beforeAll(async () => {
    const engine = await open();
    const bench = await openBench(engine.docker);
    opened = {
      bench,
      async close() {
        await bench.close();
        await engine.close();
      },
    };
  });
  afterAll(async () => await opened?.close());
  return () => {
    if (opened === undefined) throw new Error('the engine is not open');
    return opened.bench;
  };
}

function record(noun: string, cases: Cases, file: string): void {
  describe(`${noun}: recording`, () => {
    const engine = openedFor(async () => {
      const docker = new Docker({socketPath: dockerSocket});
      return {docker, close: () => docker.close()};
    });
    const answers = new Map<string, CaseAnswer>();
    test.concurrent.for(Object.entries(cases))('%s', async ([name, steps]) => {
      answers.set(name, await runCase(engine(), steps));
    });
    test('is written', async () => {
      const names = Object.keys(cases);
      expect(names.filter((name) => !answers.has(name))).toEqual([]);
      const recording: Recording = {
        docker: (await engine().docker.version()).Version,
        recorded: new Date().toISOString().slice(0, 10),
        ...thisMachine(),
        baseline: engine().baseline,
        answers: Object.fromEntries(names.map((name) => [name, answers.get(name) ?? {}])),
      };
      mkdirSync(join(file, '..'), {recursive: true});
      writeFileSync(file, `${JSON.stringify(recording, null, 1)}\n`);
    });
  });
}
