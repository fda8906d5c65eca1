import {createReadStream, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {BuildBody} from '../../../src/api/types/build.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
});

afterAll(() => bed?.close());

/** Looks at the machine while the last step runs, which says `begun`, and then ends the build. */
async function whileRunning(body: BuildBody, look: () => Promise<void>): Promise<void> {
  const abort = new AbortController();
  let looked = false;
  try {
    for await (const event of bed.engine.builds.build(body, abort.signal)) {
      if (event.kind !== 'output' || looked || !event.text.includes('begun')) continue;
      looked = true;
      await look();
      abort.abort();
    }
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  }
  expect(looked).toBe(true);
}

/** Files on disk beneath the root that hold a text. */
function filesWith(text: string): readonly string[] {
  const found: string[] = [];
  for (const entry of readdirSync(bed.host.root, {recursive: true, withFileTypes: true})) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && readFileSync(path).includes(text)) found.push(path);
  }
  return found;
}

const begun = 'echo begun && exec sleep 1000';

test('values of secrets and of proxies never come to the disk', async () => {
  const mounts = '--mount=type=secret,id=s,env=S --mount=type=secret,id=s,target=/s';
  // Only their lengths stand in the Dockerfile.
  const check = 'test "${#S} $(wc -c < /s) ${#HTTP_PROXY}" = "12 12 20"';
  const secrets = [{id: 's', content: {base64: Buffer.from('hidden-value').toString('base64')}}];
  const body = plainBody(`FROM busybox\nARG PLAIN\nRUN ${mounts} ${check} && ${begun}\n`, {
    secrets,
    arguments: {PLAIN: 'plain-value', HTTP_PROXY: 'http://hidden-name:1'},
  });
  await whileRunning(body, async () => {
    expect(filesWith('plain-value').filter((path) => path.endsWith('/config.json'))).toHaveLength(1);
    expect(filesWith('hidden-')).toEqual([]);
  });
  expect(filesWith('hidden-')).toEqual([]);
});

test('a secret that cannot be a variable is refused by name', async () => {
  const secrets = [{id: 's', content: {base64: Buffer.from('a\0B=b').toString('base64')}}];
  const body = plainBody('FROM busybox\nRUN --mount=type=secret,id=s,env=S true\n', {secrets});
  await expect(eventsOf(bed.engine, body)).rejects.toThrow('secret "s" cannot be a variable: it has a NUL');
});

test('a secret belongs to whom it is given for, where the step says nothing itself', async () => {
  const secrets = [{id: 's', content: {base64: 'eA=='}, uid: 7, gid: 8, mode: 0o440}];
  const look = (more: string) => `RUN --mount=type=secret,id=s${more} stat -c "is %u %g %a" /run/secrets/s`;
  const body = plainBody(`FROM busybox\n${look('')}\n${look(',uid=1,mode=0400')}\n`, {secrets});
  const events = await eventsOf(bed.engine, body);
  const output = events.flatMap((event) => (event.kind === 'output' ? [event.text] : [])).join('');
  expect(output).toBe('is 7 8 440\nis 1 8 400\n');
});

test('containers of steps are in no list, no event and no clean-up, unless they are asked for', async () => {
  const {containers, system} = bed.engine;
  const eventsSoFar = async (label: readonly string[]) => {
    const seen: string[] = [];
    const filters = label.length > 0 ? {label} : {};
    for await (const {Type, Action} of system.events({since: 1, until: Date.now() / 1000, filters}))
      seen.push(`${Type} ${Action}`);
    return seen;
  };
  const asked = {label: ['io.tscompose.build']};
  await whileRunning(plainBody(`FROM busybox\nRUN ${begun}\n`), async () => {
    expect(await containers.list({all: true})).toEqual([]);
    expect(await containers.list({filters: asked})).toHaveLength(1);
    expect((await system.info()).Containers).toBe(0);
    expect((await containers.prune({})).ContainersDeleted).toBeNull();
    const {Id} = await containers.create({Image: 'busybox', Cmd: ['true'], Labels: {'io.tscompose.build': 'mine'}}, {});
    expect((await containers.list({all: true})).map((one) => one.Id)).toEqual([Id]);
    await containers.remove(Id);
  });
  const told = await eventsSoFar([]);
  expect(told).toContain('container create');
  expect(told.filter((line) => /start|die|connect/.test(line))).toEqual([]);
  expect(await eventsSoFar(asked.label)).toEqual(expect.arrayContaining(['container start', 'container die']));
});
