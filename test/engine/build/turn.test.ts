import {createReadStream, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import type {BuildBody, BuildEvent} from '../../../src/api/types/build.ts';
import type {Engine} from '../../../src/engine/engine.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {eventually} from '../../support/host.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
let others: readonly Engine[];

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
  others = [await bed.another(), await bed.another()];
});

afterAll(() => bed?.close());

const mounts = () => join(bed.host.root, 'build/mounts');
/** What runs see as `/c`: they end once `go` is there, and fail once `fail` is. */
const shared = () => {
  const [name] = readdirSync(mounts()).filter((entry) => !entry.endsWith('.lock') && !entry.includes('.'));
  return join(mounts(), name ?? '', 'data');
};
const say = (word: string) => writeFileSync(join(shared(), word), '');

beforeEach(() => eventsOf(bed.engine, plainBody('FROM busybox\nRUN --mount=type=cache,target=/c true\n')));
afterEach(() => {
  for (const word of ['go', 'fail']) rmSync(join(shared(), word), {force: true});
  expect(readdirSync(join(bed.host.root, 'locks')).filter((name) => name.startsWith('step-'))).toEqual([]);
});

/** Makes something else whenever it runs. */
const step = (name: string) =>
  `RUN --mount=type=cache,target=/c echo ${name} begun; until [ -e /c/go ]; do [ ! -e /c/fail ] || exit 7; sleep 0.02; done; cat /proc/sys/kernel/random/uuid > /id`;
const bodyFor = (name: string, more: Partial<BuildBody> = {}) => plainBody(`FROM busybox\n${step(name)}\n`, more);

/** A build that goes on, and what it told until now. */
function begin(engine: Engine, body: BuildBody, signal?: AbortSignal) {
  const events: BuildEvent[] = [];
  const work = async (): Promise<string> => {
    for await (const event of engine.builds.build(body, signal)) events.push(event);
    const built = events.find((event) => event.kind === 'built');
    return built?.kind === 'built' ? built.image : '';
  };
  const image = work();
  image.catch(() => undefined);
  const text = () => events.flatMap((event) => (event.kind === 'output' ? event.text : [])).join('');
  const verdicts = () => events.flatMap((event) => (event.kind === 'step' ? event.status : []));
  return {image, text, verdicts, events};
}

const isRunning = (build: ReturnType<typeof begin>, name: string) =>
  eventually(() => expect(build.text()).toContain(`${name} begun\n`));
const isWaiting = (build: ReturnType<typeof begin>) =>
  eventually(() => expect(build.text()).toBe('another build makes this step: waiting for what comes of it\n'));

describe('builds that come to the same step at once', () => {
  test('make it once, in one process or several', async () => {
    const first = begin(bed.engine, bodyFor('once'));
    await isRunning(first, 'once');
    const waiting = [begin(bed.engine, bodyFor('once')), begin(others[0] ?? bed.engine, bodyFor('once'))];
    for (const build of waiting) await isWaiting(build);
    say('go');
    const image = await first.image;
    expect(image).toMatch(/^sha256:/);
    for (const build of waiting) {
      expect(await build.image).toBe(image);
      expect(build.verdicts()).toEqual(['start', 'cached', 'start', 'cached']);
    }
  });

  test('go on where the one that makes it is given up, and where they are given up themselves', async () => {
    const [giveUp, leave] = [new AbortController(), new AbortController()];
    const first = begin(bed.engine, bodyFor('given-up'), giveUp.signal);
    await isRunning(first, 'given-up');
    const [second, third] = others.map((engine, index) =>
      begin(engine, bodyFor('given-up'), index === 1 ? leave.signal : undefined),
    );
    if (second === undefined || third === undefined) throw new Error('there are two more engines');
    await isWaiting(second);
    await isWaiting(third);
    leave.abort();
    await expect(third.image).rejects.toThrow();
    expect(third.verdicts().at(-1)).toBe('canceled');
    giveUp.abort();
    await expect(first.image).rejects.toThrow();
    await isRunning(second, 'given-up');
    say('go');
    expect(await second.image).toMatch(/^sha256:/);
  });

  test('all try themselves, at the same time, where it failed', async () => {
    const first = begin(bed.engine, bodyFor('failing'));
    await isRunning(first, 'failing');
    const waiting = others.map((engine) => begin(engine, bodyFor('failing')));
    for (const build of waiting) await isWaiting(build);
    say('fail');
    await expect(first.image).rejects.toThrow('exit code: 7');
    for (const build of waiting) await expect(build.image).rejects.toThrow('exit code: 7');
    rmSync(join(shared(), 'fail'));
    // Neither waits for the other.
    const again = [bed.engine, ...others].map((engine) => begin(engine, bodyFor('failing', {noCache: true})));
    for (const build of again) await isRunning(build, 'failing');
    say('go');
    const images = await Promise.all(again.map(({image}) => image));
    expect(new Set(images).size).toBe(3);
  });

  test('do not wait for a shell in a step that failed', async () => {
    const giveUp = new AbortController();
    const first = begin(bed.engine, bodyFor('held', {debug: {term: 'xterm'}}), giveUp.signal);
    await isRunning(first, 'held');
    const second = begin(others[0] ?? bed.engine, bodyFor('held'));
    await isWaiting(second);
    say('fail');
    await expect(second.image).rejects.toThrow('exit code: 7');
    await eventually(() => expect(first.events.some(({kind}) => kind === 'held')).toBe(true));
    giveUp.abort();
    await expect(first.image).rejects.toThrow();
  });
});
