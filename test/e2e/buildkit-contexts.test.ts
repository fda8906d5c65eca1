import {randomUUID} from 'node:crypto';
import {existsSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {unary} from '../../src/server/buildkit/grpc-server.ts';
import {type ClientFile, plainFileSync, type Sent} from '../server/buildkit/client.ts';
import {openBuildkitClient} from '../support/buildkit-client.ts';
import type {TestHost} from '../support/host.ts';
import {endServedHost, makeServedHost, serveEngine} from '../support/served-host.ts';
import type {LongCommand} from '../support/watching.ts';

/** What a client sent for one build is kept for its next. */
let host: TestHost;
let served: LongCommand;
const received = (...names: readonly string[]) => join(host.root, 'build/received', ...names);

beforeAll(async () => {
  ({host, served} = await makeServedHost());
});

afterAll(() => endServedHost({host, served}));

const directory = (path: string): ClientFile => ({stat: {path, mode: 2 ** 31 + 0o755, modTime: 1e18}});
const file = (path: string, content: string): ClientFile => ({
  stat: {path, mode: 0o644, size: content.length, modTime: 1e18 + content.length * 1e9},
  content,
});
const link = (path: string, linkname: string): ClientFile => ({stat: {path, mode: 2 ** 27 + 0o777, linkname}});

const getSecret = '/moby.buildkit.secrets.v1.Secrets/GetSecret';

/** Kills the engine, and starts it again. */
async function kill(): Promise<void> {
  process.kill(served.pid, 'SIGKILL');
  await served.exited;
  await served[Symbol.asyncDispose]();
  served = await serveEngine(host);
}

interface Building {
  readonly context: readonly ClientFile[];
  readonly sharedKey: string;
  /** Waited for before the content of a file is sent. */
  readonly onAsked?: (path: string) => Promise<void>;
  /** Waited for when the files are copied, before the build goes on. */
  readonly meanwhile?: () => Promise<unknown>;
}

/** Builds, and answers the contents that were asked for, and what the image's files are. */
async function build({context, sharedKey, onAsked, meanwhile}: Building) {
  const [session, ref] = [randomUUID(), randomUUID()];
  const list = 'cd /files && find . | sort && find . -type f | sort | xargs cat';
  const dockerfile = `FROM busybox\nCOPY . /files/\nRUN --mount=type=secret,id=gate : ${ref} && ${list}\n`;
  const sent: Sent[] = [];
  const directories = (name: string) => (name === 'context' ? context : [file('Dockerfile', dockerfile)]);
  const files = plainFileSync(directories, sent, onAsked);
  const gate = unary(getSecret, 'GetSecretRequest', 'GetSecretResponse', async function* () {
    await meanwhile?.();
    yield {data: Buffer.from('open')};
  });
  await using client = await openBuildkitClient(join(host.run, 'engine.sock'), session, [files, gate], sharedKey);
  const {caller} = client;
  let output = '';
  const status = caller.open('/moby.buildkit.v1.Control/Status', {request: 'StatusRequest', answer: 'StatusResponse'});
  await status.send({ref});
  const told = (async () => {
    for await (const {logs} of status.answers) output += logs.map(({msg}) => Buffer.from(msg).toString()).join('');
  })();
  told.catch(() => {});
  const types = {request: 'SolveRequest', answer: 'SolveResponse'} as const;
  await caller.call('/moby.buildkit.v1.Control/Solve', types, {ref, session, frontend: 'dockerfile.v0'});
  await told;
  // The first of its calls for the context is for the ignore file alone.
  const asked = sent.findLast(({headers}) => headers['dir-name'] === 'context')?.asked ?? [];
  return {asked: asked.map((id) => context[id]?.stat.path), output: output.replace(/\s+/g, ' ').trim()};
}

let sharedKey: string;
beforeEach(() => {
  sharedKey = randomUUID();
});

const first = [directory('d'), file('d/a', 'A'), file('d/b', 'B'), directory('e'), file('e/c', 'C'), file('z', 'Z')];

describe('a context that a client sends again', () => {
  it('comes whole the first time, then only as far as it has changed', async () => {
    const whole = {asked: ['d/a', 'd/b', 'e/c', 'z'], output: '. ./d ./d/a ./d/b ./e ./e/c ./z ABCZ'};
    expect(await build({context: first, sharedKey})).toEqual(whole);
    expect(await build({context: first, sharedKey})).toEqual({...whole, asked: []});
    // Changed, gone, a directory in place of a file, and what is no directory any more.
    const next = [directory('d'), file('d/a', 'A2'), link('e', 'd'), directory('z'), file('z/y', 'Y')];
    expect(await build({context: next, sharedKey})).toEqual({
      asked: ['d/a', 'z/y'],
      output: '. ./d ./d/a ./e ./z ./z/y A2Y',
    });
    expect(await build({context: first, sharedKey})).toMatchObject({output: whole.output});
    // Another one's files are none of its own; one without a name is sent all of it each time.
    expect(await build({context: first, sharedKey: 'another'})).toEqual(whole);
    for (const _ of [1, 2]) expect(await build({context: first, sharedKey: ''})).toEqual(whole);
  });

  it('is not changed beneath a build that uses it', async () => {
    await build({context: first, sharedKey});
    let second: Awaited<ReturnType<typeof build>> | undefined;
    let same: typeof second;
    await build({
      context: first,
      sharedKey,
      meanwhile: async () => {
        second = await build({context: [file('only', 'other')], sharedKey});
        same = await build({context: first, sharedKey});
      },
    });
    expect(second).toEqual({asked: ['only'], output: '. ./only other'});
    expect(same).toMatchObject({asked: []});
    expect(await build({context: first, sharedKey})).toMatchObject({asked: []});
  });

  it('that a killed build left half changed is received anew', async () => {
    await build({context: first, sharedKey});
    const [name = ''] = names().filter((one) => existsSync(received(one, 'data/d/a')));
    for (const one of names()) {
      rmSync(received(one, 'state'));
      writeFileSync(received(one, 'data/junk'), 'junk');
    }
    expect(name).not.toBe('');
    const {asked, output} = await build({context: first, sharedKey});
    expect(asked).toEqual(['d/a', 'd/b', 'e/c', 'z']);
    expect(output).not.toContain('junk');
    // The others are let go of: nobody knows any more what they are.
    expect(names()).toHaveLength(1);
  });

  it('is whole or not there after the engine was killed while it came', async () => {
    await build({context: first, sharedKey});
    const next = [directory('d'), file('d/a', 'A2'), file('d/b', 'B2')];
    let killed: Promise<void> | undefined;
    const onAsked = async (path: string) => {
      if (path === 'd/b') killed = kill();
      await killed;
    };
    await expect(build({context: next, sharedKey, onAsked})).rejects.toThrow();
    await killed;
    const after = await build({context: next, sharedKey});
    expect(after.output).toBe('. ./d ./d/a ./d/b A2B2');
    expect((await host.tscompose(['engine', 'fsck'])).code).toBe(0);
  });

  it('is told of as what builds keep, and removed with it', async () => {
    await build({context: first, sharedKey});
    const list = ['engine', 'builder', 'du', '--filter', 'type=source.local', '--format', 'json'];
    const told = await host.tscompose(list);
    expect(JSON.parse(told.stdout.split('\n')[0] ?? '')).toMatchObject({Type: 'source.local', InUse: false});
    expect(await host.tscompose(['engine', 'builder', 'prune', '-f'])).toMatchObject({code: 0});
    expect(readdirSync(received())).toEqual([]);
    expect(await build({context: first, sharedKey})).toMatchObject({asked: ['d/a', 'd/b', 'e/c', 'z']});
  });
});

function names(): readonly string[] {
  return readdirSync(received()).filter((name) => !name.endsWith('.lock'));
}
