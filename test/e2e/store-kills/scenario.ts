import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import {hasKind} from '../../../src/base/errors.ts';
import {eventually} from '../../support/host.ts';
import {randomNumbers} from '../../support/random.ts';
import {makeFaultBed} from '../faults/bed.ts';
import {furnishStore, type KillBed, type Started} from './bed.ts';
import type {Job, KillCase} from './jobs.ts';
import {neededContent, presentContent} from './store.ts';

/**
 * Kills who changes the store of images, so many times: at a moment of the time that it takes, or at one of its operations, and
 * of two that are at it at once one or both. After each the store is whole, a command that is made again comes to its end, and
 * after the next prune nothing is there that no name leads to.
 */
export async function killStore(count: number, seed: number): Promise<void> {
  const random = randomNumbers(seed);
  await using faults = await makeFaultBed();
  await using bed = await furnishStore(faults);
  const lengths = new Map<KillCase, Length>();
  const first = Math.floor(random() * bed.cases.length);
  let unfinished = 0;
  let pace = 1;
  for (let round = 0; round < count; round += 1) {
    const one = bed.cases[(first + round) % bed.cases.length] as KillCase;
    const length = lengths.get(one) ?? (await measure(bed, one));
    lengths.set(one, length);
    const end = chooseEnd(one, {...length, milliseconds: length.milliseconds * pace}, random);
    const what = `seed ${seed}, round ${round}: ${one.name}, ${JSON.stringify(end)}`;
    const again = random() < 0.5;
    await prepare(bed, one);
    if (await killed(bed, one, {what, end})) unfinished += 1;
    // The machine was busier when it was measured, and may have been so for others.
    else if (end.kind === 'moment') pace *= 0.7;
    if (again) await repeat(bed, one, what);
    await checkStore(bed, one, what);
    await undo(bed);
  }
  // A kill that comes too late tells nothing.
  expect(unfinished).toBeGreaterThan(count / 3);
}

interface Length {
  readonly milliseconds: number;
  /** Operations of the first job. */
  readonly operations: number;
}

/** Whom to kill, and when. */
type End =
  | {readonly kind: 'moment'; readonly whom: readonly number[]; readonly milliseconds: number}
  | {readonly kind: 'operation'; readonly whom: readonly [0]; readonly operation: number};

function chooseEnd({jobs}: KillCase, {milliseconds, operations}: Length, random: () => number): End {
  if (random() < 0.4) return {kind: 'operation', whom: [0], operation: 1 + Math.floor(random() * operations)};
  const choices = jobs.length === 1 ? [[0]] : [[0], [1], [0, 1]];
  const whom = choices[Math.floor(random() * choices.length)] as readonly number[];
  return {kind: 'moment', whom, milliseconds: random() * milliseconds};
}

async function measure(bed: KillBed, one: KillCase): Promise<Length> {
  await prepare(bed, one);
  const begin = performance.now();
  await Promise.all(one.jobs.map((job) => succeed(bed, job, one.name)));
  const milliseconds = performance.now() - begin;
  await checkStore(bed, one, `${one.name}, not interrupted`);
  await undo(bed);
  await prepare(bed, one);
  const first = bed.start(one.jobs[0] as Job, {action: 'count'});
  expect({what: one.name, ...(await first.ended)}).toMatchObject({code: 0});
  await undo(bed);
  return {milliseconds, operations: first.operations()};
}

async function prepare(bed: KillBed, {before}: KillCase): Promise<void> {
  bed.renew();
  for (const words of before) await succeed(bed, {words}, 'before');
}

/** Those that are not killed come to their end: they do not need those that are. Answers whether somebody did not. */
async function killed(
  bed: KillBed,
  {jobs}: KillCase,
  {what, end}: {readonly what: string; readonly end: End},
): Promise<boolean> {
  const started: Started[] = jobs.map((job, index) =>
    end.kind === 'operation' && index === 0
      ? bed.start(job, {action: 'kill', first: end.operation})
      : bed.start(job, undefined),
  );
  const stop = new AbortController();
  if (end.kind === 'moment') {
    const timer = setTimeout(() => {
      for (const index of end.whom) started[index]?.kill();
    }, end.milliseconds);
    stop.signal.addEventListener('abort', () => clearTimeout(timer));
  }
  const results = await Promise.all(started.map(({ended}) => ended));
  stop.abort();
  for (const [index, {code, stderr}] of results.entries()) {
    if (!(end.whom as readonly number[]).includes(index)) expect({what, index, code, stderr}).toMatchObject({code: 0});
  }
  // Their own helpers end a moment later, and with them their locks.
  await eventually(async () => expect({what, held: await bed.held()}).toEqual({what, held: []}));
  return results.some(({code}) => code !== 0);
}

async function repeat(bed: KillBed, {jobs}: KillCase, what: string): Promise<void> {
  for (const job of new Set(jobs)) await succeed(bed, job, `${what}, again`);
}

async function succeed(bed: KillBed, job: Job, what: string): Promise<void> {
  const {code, stderr} = await bed.start(job, undefined).ended;
  expect({what, job, code, stderr: code === 0 ? '' : stderr}).toEqual({what, job, code: 0, stderr: ''});
}

async function checkStore(bed: KillBed, {jobs}: KillCase, what: string): Promise<void> {
  const {code, stdout} = await bed.faults.host.tscompose(['engine', 'fsck']);
  expect({what, code, stdout}).toMatchObject({code: 0, stdout: expect.stringContaining('all whole')});
  checkSaved(bed, what);
  await bed.faults.withEngine(async (engine) => {
    // No name is lost: neither those that were there before, nor what was answered to be there.
    for (const name of bed.kept) await engine.images.inspect(name);
    await engine.builds.prune({all: true, filters: {}});
    await engine.images.prune();
    expect({what, jobs, ...(await engine.images.check({repair: false}))}).toMatchObject({faults: [], waste: 0});
  });
  expect({what, ...presentContent(bed.faults.host)}).toEqual({what, ...neededContent(bed.faults.host)});
}

/** An archive has its name only when it is whole. */
function checkSaved({faults: {host}, saved}: KillBed, what: string): void {
  const path = join(host.directory, 'saved.tar');
  const found = read(path);
  if (found !== undefined && saved.whole !== undefined)
    expect({what, whole: found.equals(saved.whole)}).toEqual({what, whole: true});
  saved.whole ??= found;
  rmSync(path, {force: true});
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Takes away every name that the cases give. */
async function undo(bed: KillBed): Promise<void> {
  await bed.faults.withEngine(async (engine) => {
    for (const {RepoTags} of await engine.images.list())
      for (const name of RepoTags.filter((tag) => !bed.kept.includes(tag) && !tag.startsWith('tscompose/host')))
        await engine.images.remove(name, {force: true}).catch((error) => {
          if (!hasKind(error, 'notFound')) throw error;
        });
    await engine.builds.prune({all: true, filters: {}});
  });
}
