import {readdirSync, readFileSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventually} from '../support/host.ts';
import {makeNetworkBed, type NetworkBed, type NetworkChild} from './network-bed.ts';
import {endOpen, openMany, receivedBy, resumeServer, sendTcp, sendUdp, serveTcp, serveUdp} from './proxy-peers.ts';

let bed: NetworkBed;
let child: NetworkChild;
const mebibyte = 1024 * 1024;

beforeAll(async () => {
  bed = await makeNetworkBed();
  await bed.container.run(serveTcp, 'echo', 1001);
  await bed.container.run(serveTcp, 'after', 1002, 3 * mebibyte);
  await bed.container.run(serveTcp, 'first', 1003, 3 * mebibyte);
  await bed.container.run(serveTcp, 'deaf', 1004);
  await bed.container.run(serveTcp, 'reset', 1005);
  await bed.container.run(serveTcp, 'echo', 1006, 0, 'fd30::2');
  await bed.container.run(serveUdp, 2001);
  await bed.container.run(serveUdp, 2002, 'fd30::2');
  child = await bed.start({
    lines: [
      ...[1001, 1002, 1003, 1004, 1005, 1009].map((port) => `publish tcp 127.0.0.1 ${port} 127.0.0.1 ${port}`),
      'publish tcp :: 1006 fd30::2 1006',
      'publish udp 0.0.0.0 2001 127.0.0.1 2001',
      'publish udp :: 2002 fd30::2 2002',
      'publish udp 127.0.0.1 2009 127.0.0.1 2009',
    ],
  });
});

afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

/** Descriptors, CPU ticks (10 ms) and private memory of the child. */
function use(pid = child.pid): {
  readonly descriptors: number;
  readonly ticks: number;
  readonly privateKilobytes: number;
} {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(rollup)?.[1]);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    ticks: Number(fields[11]) + Number(fields[12]),
    privateKilobytes: kilobytes('Private_Dirty') + kilobytes('Private_Clean'),
  };
}

async function settled(descriptors: number): Promise<void> {
  await eventually(() => expect(use().descriptors).toBeLessThanOrEqual(descriptors));
}

/** Waits until it has done what there was to do: a second without work. */
async function idle(pid = child.pid): Promise<void> {
  await eventually(async () => {
    const before = use(pid);
    await delay(1000);
    expect(use(pid).ticks - before.ticks).toBeLessThanOrEqual(1);
  });
}

describe('connections', () => {
  test('bytes arrive unchanged in both directions at once', async () => {
    const transfers = await Promise.all(
      [1, 65_535, 65_536, 65_537, 20 * mebibyte].map((size) => bed.machine.run(sendTcp, 1001, size)),
    );
    for (const {hash, sentHash, ended} of transfers) expect({hash, ended}).toEqual({hash: sentHash, ended: true});
    expect(transfers.map(({bytes}) => bytes)).toEqual([1, 65_535, 65_536, 65_537, 20 * mebibyte]);
  });

  test('an end of input passes alone: the answer comes after it', async () => {
    const client = await bed.machine.run(sendTcp, 1002, 2 * mebibyte);
    const server = await bed.container.run(receivedBy, 1002);
    expect(server).toMatchObject({bytes: 2 * mebibyte, hash: client.sentHash, ended: true});
    expect(client).toMatchObject({bytes: 3 * mebibyte, hash: server.sentHash, ended: true});
  });

  test('and in the other direction: a server that has ended still receives', async () => {
    const client = await bed.machine.run(sendTcp, 1003, 0);
    expect(client).toMatchObject({bytes: 3 * mebibyte, ended: true});
    const upload = await bed.machine.run(sendTcp, 1003, 2 * mebibyte, {keep: true});
    expect(upload.ended).toBe(true);
    await eventually(async () => expect((await bed.container.run(receivedBy, 1003)).bytes).toBeGreaterThan(0));
  });

  test('where nobody listens in the container the client is reset', async () => {
    expect(await bed.machine.run(sendTcp, 1009, 10)).toMatchObject({bytes: 0, ended: false, error: 'ECONNRESET'});
  });

  test('a reset is no orderly end', async () => {
    expect(await bed.machine.run(sendTcp, 1005, 10, {keep: true})).toMatchObject({ended: false, error: 'ECONNRESET'});
  });

  test('from IPv4 and IPv6 to an IPv6 address', async () => {
    for (const host of ['127.0.0.1', '::1']) {
      const {hash, sentHash, bytes} = await bed.machine.run(sendTcp, 1006, 100_000, {host});
      expect({hash, bytes}).toEqual({hash: sentHash, bytes: 100_000});
    }
  });

  test('a server that does not read holds its client back, without memory or work here', async () => {
    // What earlier connections had would count as this one's once it goes.
    await settled(30);
    await idle();
    const before = use();
    const transfer = bed.machine.run(sendTcp, 1004, 60 * mebibyte, {waitMs: 60_000});
    await eventually(() => expect(use().descriptors).toBeGreaterThan(before.descriptors));
    await idle();
    expect(use().privateKilobytes - before.privateKilobytes).toBeLessThan(200);
    await bed.container.run(resumeServer, 1004);
    expect(await transfer).toMatchObject({ended: true, error: ''});
    expect(await bed.container.run(receivedBy, 1004)).toMatchObject({bytes: 60 * mebibyte, ended: true});
  });

  test('a thousand at once, idle ones for two descriptors each and no work, and nothing is left of them', async () => {
    await settled(30);
    await idle();
    const before = use();
    for (let round = 0; round < 5; round += 1) expect(await bed.machine.run(openMany, 1001, 200)).toBe(200);
    const open = use();
    // 16 more for spare pipes.
    expect(open.descriptors - before.descriptors).toBeGreaterThanOrEqual(2000);
    expect(open.descriptors - before.descriptors).toBeLessThanOrEqual(2016);
    expect(open.privateKilobytes).toBeLessThan(900);
    await bed.machine.run(endOpen, 'half');
    await idle();
    await bed.machine.run(endOpen, 'all');
    await settled(before.descriptors + 16);
    expect(await bed.machine.run(sendTcp, 1001, 1000)).toMatchObject({bytes: 1000, ended: true});
  });

  test('they outlive the end of the broker, and the child ends with the last', async () => {
    const other = await bed.start({
      lines: ['publish tcp 127.0.0.1 1101 127.0.0.1 1001', 'publish udp 127.0.0.1 2101 127.0.0.1 2001'],
    });
    await bed.machine.run(openMany, 1101, 3);
    other.drain();
    await eventually(() => expect(use(other.pid).descriptors).toBeLessThan(16 + 20));
    const echoed = await bed.machine.run(() => {
      const [socket] = (globalThis as unknown as {open: import('node:net').Socket[]}).open;
      return new Promise<string>((resolve) => {
        socket?.once('data', (data) => resolve(String(data)));
        socket?.write('still here');
      });
    });
    expect(echoed).toBe('still here');
    // The published sockets are open in the driver still: what arrives there is not the old child's any more, nor work for it.
    expect(await bed.machine.run(sendTcp, 1101, 10, {waitMs: 300})).toMatchObject({bytes: 0, error: 'timeout'});
    expect(await bed.machine.run(sendUdp, '127.0.0.1', 2101, [1], 100)).toEqual([null]);
    await idle(other.pid);
    await bed.machine.run(endOpen, 'all');
    expect(await other.ended).toBe(0);
  });
});

describe('datagrams', () => {
  test('answers come back to each client, from the address that it wrote to', async () => {
    const [one, two] = await Promise.all([
      bed.machine.run(sendUdp, '127.0.0.1', 2001, [1, 0, 1400, 60_000]),
      bed.machine.run(sendUdp, '127.0.0.77', 2001, [5, 6]),
    ]);
    expect(one.map((answer) => answer?.length)).toEqual([1, 0, 1400, 60_000]);
    expect(two.map((answer) => answer?.length)).toEqual([5, 6]);
    expect(new Set(one.map((answer) => answer?.from))).toEqual(new Set(['127.0.0.1']));
    expect(new Set(two.map((answer) => answer?.from))).toEqual(new Set(['127.0.0.77']));
    // One socket inside for each client.
    const ports = [...one, ...two].map((answer) => answer?.head.split(' ')[0]);
    expect(new Set(ports).size).toBe(2);
    expect(new Set(ports.slice(0, 4)).size).toBe(1);
  });

  test('over IPv6, and from IPv4 to an IPv6 address', async () => {
    expect((await bed.machine.run(sendUdp, '::1', 2002, [7]))[0]).toMatchObject({length: 7, from: '::1'});
    expect((await bed.machine.run(sendUdp, '127.0.0.5', 2002, [8]))[0]).toMatchObject({length: 8, from: '127.0.0.5'});
  });

  test('a server that comes late is reached', async () => {
    expect(await bed.machine.run(sendUdp, '127.0.0.1', 2009, [1, 1], 200)).toEqual([null, null]);
    await bed.container.run(serveUdp, 2009);
    expect((await bed.machine.run(sendUdp, '127.0.0.1', 2009, [3]))[0]).toMatchObject({length: 3});
  });

  test('no more than 1024 clients are kept', async () => {
    const before = use();
    const answered = await bed.machine.run(async () => {
      const dgram = process.getBuiltinModule('node:dgram');
      let count = 0;
      for (let round = 0; round < 30; round += 1) {
        const sockets = Array.from({length: 50}, () => dgram.createSocket('udp4'));
        const answers = sockets.map((socket) => new Promise((resolve) => socket.once('message', resolve)));
        for (const socket of sockets) socket.send('x', 2001, '127.0.0.1');
        await Promise.all(answers);
        count += answers.length;
        for (const socket of sockets) socket.close();
      }
      return count;
    });
    expect(answered).toBe(1500);
    expect(use().descriptors).toBeLessThanOrEqual(before.descriptors + 1024);
    expect(use().descriptors).toBeGreaterThan(1000);
  });
});
