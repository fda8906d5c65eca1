import {mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as delay} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventually} from '../support/host.ts';
import {askUdp} from './dns-ask.ts';
import {decodeMessage, encodeQuery, types} from './dns-messages.ts';
import {startUpstream} from './dns-upstream.ts';
import {makeNetworkBed, type NetworkBed} from './network-bed.ts';

let bed: NetworkBed;
let names: string;
let lines: readonly string[];

beforeAll(async () => {
  bed = await makeNetworkBed();
  names = join(bed.directory, 'names');
  mkdirSync(names, {mode: 0o700});
  writeFileSync(join(names, 'c1'), '172.18.0.2 | web\n');
  lines = ['dns 127.0.0.11 53', `network shop ${names}`, 'upstream 127.0.0.1 5300'];
  await bed.machine.run(startUpstream, '127.0.0.1', 5300);
});

afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

async function answers(name: string, waitMs = 30_000): Promise<boolean> {
  const reply = await bed.container.run(askUdp, [encodeQuery(name, types.A)], waitMs);
  return reply !== null && decodeMessage(reply).rcode === 0;
}

function exists(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let round = 0; round < 1000 && exists(pid); round += 1) await delay(20);
  return !exists(pid);
}

function status(pid: number): Record<string, string> {
  const rows = readFileSync(`/proc/${pid}/status`, 'utf8').trim().split('\n');
  return Object.fromEntries(rows.map((row) => row.split(/:\s*/) as [string, string]));
}

describe('what the child is left with', () => {
  test.each([
    ['answering only', []],
    ['with published ports', ['publish tcp 127.0.0.1 8081 127.0.0.1 80']],
  ])('%s', async (_, publish) => {
    const child = await bed.start({lines: [...lines, ...publish]});
    expect(await answers('web')).toBe(true);
    const none = '0'.repeat(16);
    expect(status(child.pid)).toMatchObject({
      CapInh: none,
      CapPrm: none,
      CapEff: none,
      CapBnd: none,
      CapAmb: none,
      NoNewPrivs: '1',
      Seccomp: '2',
      Groups: '',
      SigBlk: none,
    });
    // Its root is empty, no mount of the machine can be reached, and from the name files no way leads up or to writing.
    expect(readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8')).toBe('');
    expect(readdirSync(`/proc/${child.pid}/root/`)).toEqual([]);
    const directories = readdirSync(`/proc/${child.pid}/fd`).filter((fd) =>
      statSync(`/proc/${child.pid}/fd/${fd}`).isDirectory(),
    );
    for (const fd of directories) {
      const path = `/proc/${child.pid}/fd/${fd}`;
      expect(readdirSync(`${path}/../..`)).toEqual(readdirSync(`${path}/`));
      expect(() => writeFileSync(`${path}/new`, '')).toThrow('EROFS');
    }
    expect(directories.map((fd) => readdirSync(`/proc/${child.pid}/fd/${fd}/`)).sort()).toEqual([[], ['c1'], ['c1']]);
    expect(readlinkSync(`/proc/${child.pid}/ns/net`)).toBe(
      `net:[${statSync(`/run/netns/${bed.containerNamespace}`).ino}]`,
    );
    const descriptors = readdirSync(`/proc/${child.pid}/fd`).map((fd) =>
      readlinkSync(`/proc/${child.pid}/fd/${fd}`).replace(/:\[\d+\]$/, ''),
    );
    const sockets = publish.length + 3;
    expect(descriptors.sort()).toEqual([
      ...['/', '/', '/', '/dev/null', '/dev/null', '/dev/null', 'anon_inode:[eventpoll]'],
      ...Array(sockets).fill('socket'),
    ]);
    const limits = readFileSync(`/proc/${child.pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
    expect(limits).toMatch(/^Max file size +0 +0 /m);
    await child.stop();
  });

  test('little memory', async () => {
    const child = await bed.start({lines: [...lines, 'publish tcp 127.0.0.1 8081 127.0.0.1 80']});
    for (let round = 0; round < 50; round += 1) await answers(round % 2 === 0 ? 'web' : 'forwarded.example');
    const rollup = readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8');
    const kilobytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(rollup)?.[1]);
    expect(kilobytes('Private_Dirty') + kilobytes('Private_Clean')).toBeLessThan(600);
    expect(kilobytes('Rss')).toBeLessThan(1400);
    await child.stop();
  });
});

describe('a start that fails says what failed', () => {
  test.each([
    [
      'an address that the container does not have',
      ['dns 10.99.99.99 53'],
      /^error 99 answer dns at 10\.99\.99\.99:53$/,
    ],
    [
      'a directory that is not there',
      ['dns 127.0.0.11 53', 'network x /nonexistent/names'],
      /^error 2 network child: open the directory of names$/,
    ],
    [
      'a file for a directory',
      ['dns 127.0.0.11 53', 'network x /etc/hostname'],
      /^error \d+ network child: open the directory of names$/,
    ],
  ])('%s', async (_, bad, message) => {
    await expect(bed.start({lines: bad})).rejects.toThrow(message);
  });

  test('an address in use', async () => {
    const taken = await bed.container.run(() => {
      const socket = process.getBuiltinModule('node:dgram').createSocket('udp4');
      return new Promise<boolean>((resolve) => socket.bind(5353, '127.0.0.12', () => resolve(true)));
    });
    expect(taken).toBe(true);
    await expect(bed.start({lines: ['dns 127.0.0.12 5353']})).rejects.toThrow(
      /^error 98 answer dns at 127\.0\.0\.12:5353$/,
    );
  });
});

describe('its life', () => {
  test('it dies with the monitor', async () => {
    const child = await bed.start({lines});
    process.kill(child.driverPid, 'SIGKILL');
    expect(await gone(child.pid)).toBe(true);
    expect(await answers('web', 1000)).toBe(false);
  });

  test('a successor takes over before the first one ends', async () => {
    const first = await bed.start({lines});
    writeFileSync(join(names, 'c2'), '172.18.0.3 | second\n');
    const second = await bed.start({lines});
    first.drain();
    expect(await first.ended).toBe(0);
    for (let round = 0; round < 20; round += 1) expect(await answers('second')).toBe(true);
    expect(await answers('forwarded.example')).toBe(true);
    await second.stop();
    expect(await answers('web', 1000)).toBe(false);
  });
});

describe('hostile messages', () => {
  /** Sends changed questions and waits for the answer to a good one in between; resolves with the number sent. */
  function bombard(seed: number, count: number, templates: readonly Uint8Array[]): Promise<number> {
    const socket = process.getBuiltinModule('node:dgram').createSocket('udp4');
    let state = seed;
    const random = (most: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % most;
    };
    return new Promise((resolve, reject) => {
      let sent = 0;
      const round = () => {
        for (let index = 0; index < 50; index += 1, sent += 1) {
          const bytes = Buffer.from(templates[random(templates.length)] ?? []);
          for (let change = random(4); change >= 0; change -= 1) bytes[random(bytes.length)] = random(256);
          // The header's first bytes stay those of a question mostly, so that the rest is looked at.
          if (random(4) > 0) bytes.set([0, 0, 1, 0, 0, 1], 0);
          socket.send(bytes.subarray(0, random(8) === 0 ? random(bytes.length + 1) : bytes.length), 53, '127.0.0.11');
        }
        setTimeout(() => (sent < count ? round() : finish()), 1);
      };
      const finish = () => {
        socket.close();
        resolve(sent);
      };
      socket.on('error', reject);
      round();
    });
  }

  test('thousands of broken questions and answers end no child built with sanitizers', async () => {
    const child = await bed.start({lines, sanitized: true});
    const templates = [
      encodeQuery('web', types.A),
      encodeQuery('2.0.18.172.in-addr.arpa', types.PTR, {edns: 1232}),
      encodeQuery('forwarded.example', types.A, {edns: 600}),
      encodeQuery('wrongquestion.example', types.TXT),
      encodeQuery(Array.from({length: 3}, () => 'x'.repeat(63)).join('.'), types.AAAA, {edns: 65_535}),
    ];
    expect(await bed.container.run(bombard, 20_260_101, 6000, templates)).toBe(6000);
    // As long as it is busy with them, a further one may be lost.
    await eventually(async () => expect(await answers('web', 1000)).toBe(true));
    expect(exists(child.pid)).toBe(true);
    await child.stop();
  });
});
