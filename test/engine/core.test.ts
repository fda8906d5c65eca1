import {chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import {formatNanoseconds, parseNanoseconds, secondsToNanoseconds, unixNanoseconds} from '../../src/engine/clock.ts';
import {createEngine} from '../../src/engine/create-engine.ts';
import {createEvents, type Events} from '../../src/engine/events.ts';
import type {Validator} from '../../src/engine/generated/record-validators.js';
import {parseEntry} from '../../src/engine/journal-reader.ts';
import {createLayout, type Layout} from '../../src/engine/layout.ts';
import {makeDirectoryWhole, readRecord, writeRecord} from '../../src/engine/record-store.ts';
import {ensureRoot} from '../../src/engine/root.ts';

let directory: string;
let layout: Layout;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tscompose-core-'));
  layout = createLayout({root: join(directory, 'root'), run: join(directory, 'run')});
});
afterEach(() => rm(directory, {recursive: true, force: true}));

describe('clock', () => {
  it('keeps nanoseconds through text', () => {
    const time = 1_767_225_600_000_000_006n;
    expect(formatNanoseconds(time)).toBe('2026-01-01T00:00:00.000000006Z');
    expect(parseNanoseconds('2026-01-01T00:00:00.000000006Z')).toBe(time);
    expect(parseNanoseconds('2026-01-01T01:00:00+01:00')).toBe(1_767_225_600_000_000_000n);
    expect(parseNanoseconds('yesterday')).toBeUndefined();
    expect(unixNanoseconds(() => 1_767_225_600_000.5)).toBe(1_767_225_600_000_500_000n);
    expect(secondsToNanoseconds(1.25)).toBe(1_250_000_000n);
  });
});

describe('root', () => {
  it('is made once, with its format, by several at a time', async () => {
    await Promise.all([ensureRoot(layout), ensureRoot(layout), ensureRoot(layout)]);
    expect(JSON.parse(await readFile(layout.format, 'utf8'))).toEqual({version: 1, minReader: 1});
    expect((await readdir(layout.root)).sort()).toEqual([
      'containers',
      'format',
      'images',
      'layers',
      'locks',
      'names',
      'networks',
      'volumes',
    ]);
    await ensureRoot(layout);
  });

  it('of a newer program is refused, with a hint, and not touched', async () => {
    await mkdir(layout.root, {recursive: true});
    await writeFile(layout.format, '{"version":9,"minReader":8}');
    const error = await ensureRoot(layout).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: 'unsupported',
      message: `the root ${layout.root} has format 9, made by a newer tscompose: this one reads up to 1`,
      hint: 'update tscompose, or choose another root with --root',
    });
    expect(await readdir(layout.root)).toEqual(['format']);
  });

  it('of a newer program that an older one may read is used', async () => {
    await mkdir(layout.root, {recursive: true});
    await writeFile(layout.format, '{"version":9,"minReader":1}');
    await ensureRoot(layout);
    expect(JSON.parse(await readFile(layout.format, 'utf8'))).toEqual({version: 9, minReader: 1});
  });

  it('whose volatile state others could change is refused', async () => {
    await ensureRoot(layout);
    await chmod(layout.run, 0o777);
    await expect(ensureRoot(layout)).rejects.toMatchObject({
      kind: 'forbidden',
      message: `cannot use ${layout.run} for state of running containers: others may write there`,
    });
    await chmod(layout.run, 0o700);
    await ensureRoot(layout);
    await chown(layout.run, 65534, 65534);
    await expect(ensureRoot(layout)).rejects.toThrow('it belongs to user 65534');
  });

  it('that may not be made is told with a hint', async () => {
    process.seteuid?.(65534);
    try {
      await expect(ensureRoot(layout)).rejects.toMatchObject({
        kind: 'forbidden',
        message: `cannot use ${layout.format}: permission denied`,
        hint: 'choose another root with --root or TSCOMPOSE_ROOT, or run tscompose as root (sudo tscompose …)',
      });
      await expect(
        createEngine({version: '0', nodePath: process.execPath, now: Date.now, ...layout}),
      ).rejects.toMatchObject({
        kind: 'forbidden',
        message: `cannot use ${layout.format}: permission denied`,
      });
    } finally {
      process.seteuid?.(0);
    }
  });

  it('where something else is says so', async () => {
    await writeFile(join(directory, 'root'), '');
    await expect(ensureRoot(layout)).rejects.toMatchObject({
      kind: 'invalid',
      message: `cannot use ${layout.root}: it is not a directory`,
    });
  });
});

const anything: Validator = () => true;
const onlyNumbers: Validator = Object.assign(
  (value: unknown) => typeof (value as {readonly n?: unknown}).n === 'number',
  {
    errors: [{instancePath: '/n', schemaPath: '', keyword: 'type', params: {}, message: 'must be number'}],
  },
);

describe('records', () => {
  it('keep unknown keys, and are read back', async () => {
    const path = join(directory, 'record.json');
    await writeRecord(path, {v: 1, n: 2, later: {x: 1}}, {sync: true});
    expect(await readRecord(path, onlyNumbers)).toEqual({v: 1, n: 2, later: {x: 1}});
    expect(await readdir(directory)).toEqual(['record.json']);
  });

  it('that are missing are undefined, damaged ones are told by path and place', async () => {
    const path = join(directory, 'record.json');
    expect(await readRecord(path, anything)).toBeUndefined();
    await writeFile(path, '{"v":1,');
    await expect(readRecord(path, anything)).rejects.toThrow(`the record ${path} is damaged: it is not JSON`);
    await writeFile(path, '{"v":1,"n":"2"}');
    await expect(readRecord(path, onlyNumbers)).rejects.toThrow(`the record ${path} is damaged: /n must be number`);
  });

  it('written by many at once are one of them, whole', async () => {
    const path = join(directory, 'record.json');
    await Promise.all(Array.from({length: 20}, (_, n) => writeRecord(path, {v: 1, n, text: 'x'.repeat(10_000)})));
    expect((await readRecord<{readonly text: string}>(path, onlyNumbers))?.text).toHaveLength(10_000);
    expect(await readdir(directory)).toEqual(['record.json']);
  });

  it('directories are whole or absent', async () => {
    await makeDirectoryWhole(directory, 'a', (path) => writeFile(join(path, 'x'), '1'), {sync: true});
    expect(await readdir(join(directory, 'a'))).toEqual(['x']);
    await expect(makeDirectoryWhole(directory, 'a', (path) => writeFile(join(path, 'x'), '2'))).rejects.toMatchObject({
      kind: 'conflict',
    });
    await expect(
      makeDirectoryWhole(directory, 'b', () => {
        throw new TscomposeError('exhausted', 'full');
      }),
    ).rejects.toMatchObject({kind: 'exhausted'});
    expect(await readdir(directory)).toEqual(['a']);
  });
});

describe('events', () => {
  let events: Events;
  beforeEach(async () => {
    await ensureRoot(layout);
    events = createEvents({layout, now: Date.now, exclusively: async (_path, run) => run()});
  });

  const entry = (action: string, attributes: Readonly<Record<string, string>> = {}) =>
    ({type: 'container', action, id: 'c'.repeat(64), attributes: {name: 'web', ...attributes}}) as const;

  it('are replayed from a time on, and end at one', async () => {
    await events.append(entry('create'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const between = Date.now() / 1000;
    await events.append(entry('start', {image: 'busybox'}));
    const seen = [];
    for await (const event of events.follow({since: between, until: Date.now() / 1000 + 0.001})) seen.push(event);
    expect(seen).toMatchObject([
      {
        Type: 'container',
        Action: 'start',
        Actor: {ID: 'c'.repeat(64), Attributes: {name: 'web', image: 'busybox'}},
        scope: 'local',
      },
    ]);
    expect(seen[0]?.time).toBe(Math.floor((seen[0]?.timeNano ?? 0) / 1e9));
  });

  it('are followed across rotation, each once', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    let opened: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      opened = resolve;
    });
    const following = (async () => {
      for await (const {Action} of events.follow({onReady: opened}, stop.signal)) {
        seen.push(Action);
        if (Action === 'last') return;
      }
    })();
    await ready;
    for (let index = 0; index < 30; index++) {
      await events.append(entry(`number ${index}`));
      if (index % 10 !== 9) continue;
      await rename(layout.journal, layout.olderJournal);
      // One older journal is kept: who follows may be one behind.
      await events.append(entry(`after ${index}`));
      while (seen.at(-1) !== `after ${index}`) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await events.append(entry('last'));
    await following;
    const rotations = [9, 19, 29];
    const expected = Array.from({length: 30}, (_, index) =>
      rotations.includes(index) ? [`number ${index}`, `after ${index}`] : [`number ${index}`],
    );
    expect(seen).toEqual([...expected.flat(), 'last']);
  });

  it('rotate the journal at 16 MB and keep one older', async () => {
    await writeFile(layout.journal, `${' '.repeat(16 * 1024 * 1024)}\n`);
    await events.append(entry('one'));
    await events.append(entry('two'));
    const seen = [];
    for await (const {Action} of events.follow({since: 0, until: Date.now() / 1000 + 0.001})) seen.push(Action);
    expect(seen).toEqual(['one', 'two']);
    expect((await readFile(layout.journal, 'utf8')).split('\n')).toHaveLength(2);
  });

  it('skip a torn line and keep what follows it', async () => {
    await writeFile(layout.journal, '{"v":1,"seq":1,"boot":"x","time":17');
    await events.append(entry('after'));
    const seen = [];
    for await (const {Action} of events.follow({since: 0, until: Date.now() / 1000 + 0.001})) seen.push(Action);
    expect(seen).toEqual(['after']);
    expect(parseEntry('{"v":1,"seq":1')).toBeUndefined();
  });

  it('have lines of at most 4096 bytes: long labels go, name and image stay', async () => {
    await events.append(entry('create', {image: 'i', short: 's', long: 'é'.repeat(4000)}));
    const line = await readFile(layout.journal);
    expect(line.length).toBeLessThanOrEqual(4096);
    expect(JSON.parse(line.toString())).toMatchObject({attributes: {name: 'web', image: 'i', short: 's'}});
  });

  it('are filtered', async () => {
    await events.append(entry('health_status: healthy', {app: 'a'}));
    await events.append({...entry('create'), type: 'network', id: 'n'.repeat(64)});
    const actions = async (filters: Readonly<Record<string, readonly string[]>>) => {
      const seen = [];
      for await (const {Action} of events.follow({since: 0, until: Date.now() / 1000 + 0.001, filters}))
        seen.push(Action);
      return seen;
    };
    expect(await actions({event: ['health_status']})).toEqual(['health_status: healthy']);
    expect(await actions({type: ['network']})).toEqual(['create']);
    expect(await actions({label: ['app=a']})).toEqual(['health_status: healthy']);
    expect(await actions({container: ['web']})).toEqual(['health_status: healthy']);
    await expect(actions({colour: ['red']})).rejects.toMatchObject({
      kind: 'invalid',
      message: "invalid filter 'colour'",
    });
  });
});
