import {createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {BuildBody, BuildEvent} from '../../../src/api/types/build.ts';
import {TscomposeError} from '../../../src/base/errors.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {archiveEntries} from './archive-entries.mjs';
import {type BuildCase, cases} from './cases.mjs';
import {writeFiles} from './context-files.mjs';
import {type Difference, differences} from './differences.ts';

interface Answer {
  readonly name: string;
  readonly error?: string;
  readonly image?: unknown;
  readonly files?: Readonly<Record<string, string>>;
  /** Files of the image below that are no more; absent where nothing of it is there. */
  readonly gone?: readonly string[];
  readonly scratch?: boolean;
  readonly verdicts?: readonly Readonly<Record<string, string>>[];
}

const recorded = JSON.parse(readFileSync(new URL('../../recorded/builds.json', import.meta.url), 'utf8')) as {
  readonly docker: string;
  readonly answers: readonly Answer[];
};
const directory = mkdtempSync(join(tmpdir(), 'tscompose-builds-'));
let bed: TestEngine;
let base: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  const lines = bed.engine.images.load(createReadStream(imageArchive('busybox')));
  for await (const _ of lines);
  const context = join(directory, 'bare');
  mkdirSync(context);
  base = await filesOf(bodyOf(context, {name: 'bare', files: {}, dockerfile: 'FROM busybox\n'}));
}, 120_000);

afterAll(async () => {
  await bed?.close();
  rmSync(directory, {recursive: true, force: true});
});

function bodyOf(context: string, {target, labels = {}, secret, ...given}: BuildCase): BuildBody {
  const path = join(context, 'Dockerfile');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : given.dockerfile;
  const ignore = join(context, '.dockerignore');
  return {
    context,
    dockerfile: {text, shown: 'Dockerfile'},
    ...(existsSync(ignore) ? {ignore: readFileSync(ignore, 'utf8')} : {}),
    ...(target === undefined ? {} : {target}),
    arguments: given.arguments ?? {},
    labels,
    secrets: secret === undefined ? [] : [{id: 's', content: {base64: Buffer.from(secret).toString('base64')}}],
    contexts: {},
    tags: [],
    noCache: false,
    network: 'default',
    extraHosts: [],
    agents: [],
    ulimits: [],
    allow: [],
  };
}

async function build(body: BuildBody): Promise<readonly BuildEvent[]> {
  const events: BuildEvent[] = [];
  for await (const event of bed.engine.builds.build(body)) events.push(event);
  return events;
}

async function filesOf(body: BuildBody): Promise<Readonly<Record<string, string>>> {
  const path = join(directory, `files-${Math.random()}.tar`);
  await build({...body, output: {kind: 'tar', path}});
  const entries = await archiveEntries(createReadStream(path));
  rmSync(path);
  return entries;
}

function imageOf(events: readonly BuildEvent[]): string {
  const built = events.find((event) => event.kind === 'built');
  if (built?.kind !== 'built') throw new Error('nothing was built');
  return built.image;
}

/** As it is recorded: without times, and without the digests of layers. */
function configOf(image: string): unknown {
  const path = join(bed.host.root, 'images/oci/blobs/sha256', image.slice('sha256:'.length));
  const {config, architecture, os, author, history, rootfs} = JSON.parse(readFileSync(path, 'utf8'));
  const lines = history.map(({created: _created, ...line}: {readonly created: string}) => line);
  return JSON.parse(JSON.stringify({config, architecture, os, author, history: lines, layers: rootfs.diff_ids.length}));
}

/** Steps by their titles: whether they came from the cache. */
function verdictsOf(events: readonly BuildEvent[]): Readonly<Record<string, string>> {
  const words = {cached: 'CACHED', done: 'DONE', failed: 'ERROR', canceled: 'CANCELED', start: ''};
  const titles = new Map(
    events.flatMap((event) => (event.kind === 'step' && event.status === 'start' ? [[event.step, event.title]] : [])),
  );
  const verdicts = events.flatMap((event) =>
    event.kind === 'step' && event.status !== 'start'
      ? [[titles.get(event.step)?.replace('[stage-0 ', '['), words[event.status]]]
      : [],
  );
  return Object.fromEntries(verdicts.filter(([title]) => !/^\[[^\]]*\] FROM |^FROM /.test(title ?? '')));
}

/** Members that say nothing are left out by one and not by the other. */
function withoutNothing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNothing);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null && member !== '' && !(Array.isArray(member) && member.length === 0))
      .map(([key, member]) => [key, withoutNothing(member)]),
  );
}

async function check(answer: Answer, testCase: BuildCase): Promise<void> {
  const context = mkdtempSync(join(directory, 'case-'));
  writeFiles(context, {...testCase.files, Dockerfile: testCase.dockerfile});
  const body = bodyOf(context, testCase);
  const different: Partial<Difference> = differences[testCase.name] ?? {};
  if (different.fails ?? (answer.error !== undefined && different.files === undefined)) {
    const error = await build(body).catch((reason: unknown) => reason);
    expect(error, `BuildKit says: ${answer.error}`).toBeInstanceOf(TscomposeError);
    expect((error as TscomposeError).diagnostics[0]).toMatchObject({file: 'Dockerfile', line: expect.any(Number)});
    return;
  }
  // What other cases built does not count.
  if (testCase.edits !== undefined) await bed.engine.builds.prune({all: true, filters: {}});
  const events = await build(body);
  const image = configOf(imageOf(events));
  if (answer.image !== undefined)
    expect(withoutNothing(image)).toEqual(withoutNothing({...(answer.image as object), ...different.image}));
  const found = await filesOf(body);
  const isBelow = (path: string) => answer.gone !== undefined && base[path] !== undefined;
  const changed = Object.entries(found).filter(([path, text]) => !isBelow(path) || base[path] !== text);
  expect(Object.fromEntries(changed)).toEqual({...answer.files, ...different.files});
  if (answer.gone !== undefined)
    expect(Object.keys(base).filter((path) => found[path] === undefined)).toEqual(answer.gone);
  for (const [index, edit] of (testCase.edits ?? []).entries()) {
    writeFiles(context, edit);
    const {nextArguments, nextNoCache, nextNoCacheFilter} = testCase;
    const next = await build({
      ...bodyOf(context, {...testCase, ...(nextArguments && {arguments: nextArguments})}),
      noCache: nextNoCache ?? (nextNoCacheFilter === undefined ? false : [nextNoCacheFilter]),
    });
    const expected = {...answer.verdicts?.[index], ...different.verdicts};
    expect(verdictsOf(next)).toEqual(
      // BuildKit numbers a single stage where contexts are mounted.
      Object.fromEntries(Object.entries(expected).map(([title, word]) => [title.replace('[stage-0 ', '['), word])),
    );
  }
}

describe('what is built is what BuildKit builds', () => {
  test('every case was recorded', () => {
    expect(recorded.answers.map(({name}) => name)).toEqual(cases.map(({name}) => name));
    expect(new Set(cases.map(({name}) => name)).size).toBe(cases.length);
    expect(statSync(new URL('../../recorded/builds.json', import.meta.url)).size).toBeGreaterThan(10_000);
  });

  test('differences are of cases that there are', () => {
    expect(Object.keys(differences).filter((name) => !cases.some((known) => known.name === name))).toEqual([]);
  });

  for (const testCase of cases) {
    const answer = recorded.answers.find(({name}) => name === testCase.name);
    test(testCase.name, () => check(answer ?? {name: testCase.name}, testCase), 60_000);
  }
});
