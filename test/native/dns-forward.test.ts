import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {askTcp, askUdp, resolveWith} from './dns-ask.ts';
import {decodeMessage, encodeQuery, type Message, type QueryOptions, types} from './dns-messages.ts';
import {startUpstream, takeSeen} from './dns-upstream.ts';
import {makeNetworkBed, type NetworkBed} from './network-bed.ts';

let bed: NetworkBed;
const upstream = ['127.0.0.1', 5300] as const;

async function ask(name: string, options: QueryOptions = {}): Promise<Message> {
  const reply = await bed.container.run(askUdp, [encodeQuery(name, types.A, options)], 60_000);
  if (reply === null) throw new Error(`no reply for ${name}`);
  return decodeMessage(reply);
}

function tcpFrame(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

beforeAll(async () => {
  bed = await makeNetworkBed();
  const names = join(bed.directory, 'names');
  mkdirSync(names);
  writeFileSync(join(names, 'c1'), '172.18.0.2 | web\n');
  await bed.machine.run(startUpstream, ...upstream);
  await bed.start({lines: ['dns 127.0.0.11 53', `network shop ${names}`, `upstream ${upstream.join(' ')}`]});
});

afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

describe('questions to an upstream', () => {
  test('what is not ours is answered by it, single labels too', async () => {
    for (const name of ['example.org', 'single', 'web.other', 'x.shop']) {
      expect(await ask(name, {id: 4711})).toMatchObject({
        id: 4711,
        rcode: 0,
        question: name,
        answers: [{data: '192.0.2.1'}],
      });
    }
    expect(await ask('nx.example')).toMatchObject({rcode: 3, answers: []});
    const seen = (await bed.machine.run(takeSeen, ...upstream)).map(({name}) => name);
    // One that the upstream is slow to answer is asked again.
    expect([...new Set(seen)]).toEqual(['example.org', 'single', 'web.other', 'x.shop', 'nx.example']);
  });

  test('what is ours never leaves', async () => {
    for (const type of [types.A, types.AAAA, types.MX, types.TXT]) {
      await bed.container.run(askUdp, [encodeQuery('web', type)]);
      await bed.container.run(askUdp, [encodeQuery('web.SHOP', type)]);
    }
    await bed.container.run(askUdp, [encodeQuery('2.0.18.172.in-addr.arpa', types.PTR)]);
    expect(await bed.machine.run(takeSeen, ...upstream)).toEqual([]);
  });

  test('each goes out with a random id from a random port, and else unchanged', async () => {
    const queries = Array.from({length: 60}, (_, index) =>
      encodeQuery(`N${index}.Example`, types.A, {id: 7, edns: 1400}),
    );
    for (const query of queries) await bed.container.run(askUdp, [query]);
    const seen = await bed.machine.run(takeSeen, ...upstream);
    expect([...new Set(seen.map(({message}) => message.slice(4)))]).toEqual(
      queries.map((query) => query.toString('hex').slice(4)),
    );
    // 60 of 65536 ids, and of some 28000 ports: two alike are possible, ten are not.
    expect(new Set(seen.map(({id}) => id)).size).toBeGreaterThan(50);
    expect(new Set(seen.map(({port}) => port)).size).toBeGreaterThan(50);
    const steps = seen.slice(1).map(({port}, index) => port - (seen[index]?.port ?? 0));
    expect(new Set(steps).size).toBeGreaterThan(40);
  });

  test('an answer counts only with our id, our question, and from the upstream', async () => {
    for (const kind of ['wrongid', 'wrongquestion', 'wrongsource']) {
      expect([kind, (await ask(`${kind}.example`)).answers.map(({data}) => data)]).toEqual([kind, ['192.0.2.1']]);
    }
  });

  test('many at once', async () => {
    await bed.machine.run(takeSeen, ...upstream);
    const replies = await Promise.all(
      Array.from({length: 200}, (_, index) => ask(`at-once-${index}.example`, {id: index})),
    );
    expect(replies.map(({id, question}) => `${id} ${question}`)).toEqual(
      Array.from({length: 200}, (_, index) => `${index} at-once-${index}.example`),
    );
  });
});

describe('sizes', () => {
  test('a truncated answer is passed on, and asked again over TCP by the asker', async () => {
    expect(await ask('many100.example')).toMatchObject({truncated: true, answers: []});
    expect((await ask('many100.example', {edns: 4096})).answers).toHaveLength(100);
    expect(await bed.container.run(resolveWith, 'resolve4', 'many500.example')).toHaveLength(500);
  });

  test('over TCP an answer may have nearly 64 KiB, in pieces', async () => {
    const {messages} = await bed.container.run(askTcp, tcpFrame(encodeQuery('huge60000.example', types.TXT, {id: 99})));
    expect(messages[0]?.length).toBeGreaterThan(60_000);
    expect(decodeMessage(messages[0] ?? Buffer.alloc(0))).toMatchObject({id: 99, rcode: 0, truncated: false});
  });

  test('several over one connection', async () => {
    const frames = ['a.example', 'web', 'nx.example', 'b.example'].map((name, id) =>
      tcpFrame(encodeQuery(name, types.A, {id})),
    );
    const {messages} = await bed.container.run(askTcp, Buffer.concat(frames), {count: 4});
    expect(messages.map(decodeMessage).map(({id, rcode}) => `${id} ${rcode}`)).toEqual(['0 0', '1 0', '2 3', '3 0']);
  });

  test('an upstream that ends in the middle of its answer is a failed one', async () => {
    const {messages} = await bed.container.run(askTcp, tcpFrame(encodeQuery('cut.example', types.A)));
    expect(decodeMessage(messages[0] ?? Buffer.alloc(0)).rcode).toBe(2);
  });
});

describe('upstreams that fail', () => {
  async function askWith(
    upstreams: readonly string[],
    name: string,
  ): Promise<{readonly message: Message; readonly ms: number}> {
    await using other = await makeNetworkBed();
    await other.machine.run(startUpstream, '127.0.0.1', 5300);
    await other.machine.run(startUpstream, '127.0.0.2', 5300, 'servfail');
    await other.machine.run(startUpstream, '127.0.0.3', 5300, 'silent');
    await other.machine.run(startUpstream, '::1', 5300);
    await other.start({lines: ['dns 127.0.0.11 53', ...upstreams.map((address) => `upstream ${address} 5300`)]});
    const start = performance.now();
    const reply = await other.container.run(askUdp, [encodeQuery(name, types.A)], 60_000);
    return {message: decodeMessage(reply ?? Buffer.alloc(0)), ms: performance.now() - start};
  }

  /** Asks anew where it took too long: that may have been the machine, which was busy. */
  async function askInTime(
    limitMs: number,
    upstreams: readonly string[],
    name = 'a.example',
  ): ReturnType<typeof askWith> {
    for (let left = 5; ; left -= 1) {
      const answer = await askWith(upstreams, name);
      if (answer.ms < limitMs || left === 0) return answer;
    }
  }

  test('one that says so is passed over at once', async () => {
    const {message, ms} = await askInTime(1900, ['127.0.0.2', '127.0.0.1']);
    expect(message).toMatchObject({rcode: 0, answers: [{data: '192.0.2.1'}]});
    expect(ms).toBeLessThan(1900);
  });

  test('one where nobody listens is passed over at once', async () => {
    const {message, ms} = await askInTime(1900, ['127.0.0.9', '::1']);
    expect(message).toMatchObject({rcode: 0, answers: [{data: '192.0.2.1'}]});
    expect(ms).toBeLessThan(1900);
  });

  test('one that is silent is passed over after two seconds', async () => {
    const {message, ms} = await askInTime(4000, ['127.0.0.3', '127.0.0.1']);
    expect(message).toMatchObject({rcode: 0, answers: [{data: '192.0.2.1'}]});
    expect(ms).toBeGreaterThan(1900);
    expect(ms).toBeLessThan(4000);
  });

  test('where all fail, the last one’s refusal stands, or there is none and it is a server failure', async () => {
    expect((await askWith(['127.0.0.1', '127.0.0.1'], 'refused.example')).message.rcode).toBe(5);
    expect((await askWith(['127.0.0.1'], 'servfail.example')).message.rcode).toBe(2);
    expect((await askWith(['127.0.0.9'], 'a.example')).message.rcode).toBe(2);
    const silent = await askInTime(7000, ['127.0.0.3']);
    expect(silent.message.rcode).toBe(2);
    expect(silent.ms).toBeLessThan(7000);
  });
});
