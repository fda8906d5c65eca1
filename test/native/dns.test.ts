import {spawnSync} from 'node:child_process';
import {mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {askTcp, askUdp, resolveWith} from './dns-ask.ts';
import {decodeMessage, encodeQuery, type Message, type QueryOptions, types} from './dns-messages.ts';
import {makeNetworkBed, type NetworkBed} from './network-bed.ts';

let bed: NetworkBed;
let shop: string;
let back: string;
let foreign: string;

/** As the engine puts name files in place. */
function putNames(directory: string, container: string, text: string): void {
  writeFileSync(join(directory, `.tmp-${container}`), text);
  renameSync(join(directory, `.tmp-${container}`), join(directory, container));
}

function tcpFrame(message: Uint8Array): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

async function ask(name: string, type: number, options: QueryOptions = {}): Promise<Message> {
  const reply = await bed.container.run(askUdp, [encodeQuery(name, type, options)]);
  if (reply === null) throw new Error(`no reply for ${name}`);
  return decodeMessage(reply);
}

async function addresses(name: string, type: number = types.A): Promise<string[]> {
  return (await ask(name, type)).answers.map(({data}) => data).sort();
}

beforeAll(async () => {
  bed = await makeNetworkBed();
  shop = join(bed.directory, 'shop');
  back = join(bed.directory, 'back');
  foreign = join(bed.directory, 'foreign');
  for (const directory of [shop, back, foreign]) mkdirSync(directory, {mode: 0o700});
  putNames(shop, 'c1', '172.18.0.2 fd00::2 | shop-web-1 web Front 0a1b2c3d4e5f\n');
  putNames(shop, 'c2', '172.18.0.3 | shop-web-2 web\n');
  putNames(shop, 'c3', '172.18.0.4 | my.app.example\n');
  putNames(back, 'c1', '172.19.0.2 | shop-web-1 web\n');
  putNames(back, 'c4', '172.19.0.4 fd01::4 | db shop-web-2\n');
  putNames(foreign, 'c5', '172.20.0.5 | secret\n');
  await bed.start({lines: ['dns 127.0.0.11 53', `network Shop_default ${shop}`, `network shop_back ${back}`]});
});

afterAll(async () => {
  await bed[Symbol.asyncDispose]();
});

describe('names of the container’s networks', () => {
  test('a name answers the addresses of all replicas, in changing order', async () => {
    const orders = new Set<string>();
    for (let round = 0; round < 40; round += 1) {
      const {answers, rcode, recursionAvailable} = await ask('web', types.A);
      expect({rcode, recursionAvailable}).toEqual({rcode: 0, recursionAvailable: true});
      expect(answers.every(({type, ttl}) => type === types.A && ttl === 600)).toBe(true);
      orders.add(answers.map(({data}) => data).join(' '));
    }
    expect([...orders].sort()).toEqual(['172.18.0.2 172.18.0.3', '172.18.0.3 172.18.0.2']);
  });

  test('case does not matter, and the question comes back as it was written', async () => {
    const {answers, question} = await ask('wEB', types.A);
    expect(question).toBe('wEB');
    expect(answers).toHaveLength(2);
    expect(await addresses('front')).toEqual(['172.18.0.2']);
    expect(await addresses('0A1B2C3D4E5F')).toEqual(['172.18.0.2']);
  });

  test('a name may be followed by its network’s name', async () => {
    expect(await addresses('web.shop_default')).toEqual(['172.18.0.2', '172.18.0.3']);
    expect(await addresses('WEB.Shop_Default')).toEqual(['172.18.0.2', '172.18.0.3']);
    expect(await addresses('db.shop_back')).toEqual(['172.19.0.4']);
    expect((await ask('db.shop_default', types.A)).rcode).toBe(3);
    expect((await ask('web.shop', types.A)).rcode).toBe(3);
  });

  test('a name may hold dots', async () => {
    expect(await addresses('my.app.example')).toEqual(['172.18.0.4']);
    expect(await addresses('my.app.example.shop_default')).toEqual(['172.18.0.4']);
    expect((await ask('app.example', types.A)).rcode).toBe(3);
  });

  test('the first network with an address of the family answers', async () => {
    expect(await addresses('web')).toEqual(['172.18.0.2', '172.18.0.3']);
    expect(await addresses('web.shop_back')).toEqual(['172.19.0.2']);
    expect(await addresses('shop-web-2')).toEqual(['172.18.0.3']);
    expect(await addresses('shop-web-2', types.AAAA)).toEqual(['fd010000000000000000000000000004']);
  });

  test('a known name without records of the asked type exists, an unknown one does not', async () => {
    for (const type of [types.AAAA, types.MX, types.TXT, types.ANY, types.PTR]) {
      expect(await ask('shop-web-1.shop_back', type)).toMatchObject({rcode: 0, answers: []});
    }
    expect(await ask('nobody', types.A)).toMatchObject({rcode: 3, answers: []});
    expect((await ask('web', types.A, {class: 3})).rcode).toBe(3);
    expect((await ask('', types.NS)).rcode).toBe(3);
  });

  test('names of other networks do not exist', async () => {
    for (const name of ['secret', 'secret.foreign', 'c5', '..foreign.secret'])
      expect((await ask(name, types.A)).rcode).toBe(3);
  });

  test('addresses answer the container’s first name and network', async () => {
    expect(await ask('3.0.18.172.in-addr.arpa', types.PTR)).toMatchObject({
      rcode: 0,
      answers: [{data: 'shop-web-2.shop_default', ttl: 600}],
    });
    expect((await ask('4.0.19.172.IN-ADDR.arpa', types.PTR)).answers[0]?.data).toBe('db.shop_back');
    const nibbles = `2${'.0'.repeat(29)}.d.f`;
    expect((await ask(`${nibbles}.ip6.arpa`, types.PTR)).answers[0]?.data).toBe('shop-web-1.shop_default');
    for (const name of [
      '9.0.18.172.in-addr.arpa',
      '3.0.18.172.in-addr.arpa.x',
      '03.0.18.1720.in-addr.arpa',
      '0.18.172.in-addr.arpa',
      `${nibbles.slice(2)}.ip6.arpa`,
    ]) {
      expect((await ask(name, types.PTR)).rcode).toBe(3);
    }
  });

  test('names come and go with their files', async () => {
    for (let round = 0; round < 30; round += 1) {
      putNames(shop, 'c9', `172.18.1.${round} | late\n`);
      expect(await addresses('late')).toEqual([`172.18.1.${round}`]);
      unlinkSync(join(shop, 'c9'));
      expect((await ask('late', types.A)).rcode).toBe(3);
    }
  });

  test('a file that is no name file does not harm the others', async () => {
    const bad = join(bed.directory, 'bad');
    mkdirSync(bad);
    putNames(bad, 'good', '10.0.0.1 | good\n');
    writeFileSync(join(bad, 'large'), `10.0.0.2 | large ${'x'.repeat(20_000)}\n`);
    writeFileSync(join(bad, 'binary'), Buffer.from(Array.from({length: 5000}, (_, index) => (index * 7) & 255)));
    writeFileSync(join(bad, 'zeros'), Buffer.alloc(4096));
    writeFileSync(join(bad, 'no-bar'), '10.0.0.3 nobar\n');
    writeFileSync(join(bad, 'no-address'), ' | lonely\n');
    writeFileSync(join(bad, 'no-names'), '10.0.0.4 | \n');
    writeFileSync(join(bad, 'not-an-address'), '10.0.0.300 | wrong\n');
    writeFileSync(
      join(bad, 'many'),
      `${Array.from({length: 500}, (_, index) => `10.1.${index >> 8}.${index & 255}`).join(' ')} | many\n`,
    );
    writeFileSync(join(bad, 'long-name'), `10.0.0.5 | ${'l'.repeat(300)} fine\n`);
    writeFileSync(join(bad, '.hidden'), '10.0.0.6 | hidden\n');
    mkdirSync(join(bad, 'directory'));
    symlinkSync('/etc/hostname', join(bad, 'link'));
    symlinkSync('good', join(bad, 'alias'));
    expect(spawnSync('mkfifo', [join(bad, 'fifo')]).status).toBe(0);
    await using other = await makeNetworkBed();
    await other.start({lines: ['dns 127.0.0.11 53', `network bad ${bad}`]});
    const found: Record<string, readonly string[]> = {};
    for (const name of ['good', 'large', 'nobar', 'lonely', 'wrong', 'many', 'fine', 'hidden']) {
      const reply = await other.container.run(askUdp, [encodeQuery(name, types.A)]);
      found[name] = decodeMessage(reply ?? Buffer.alloc(0)).answers.map(({data}) => data);
    }
    expect(found).toEqual({
      good: ['10.0.0.1'],
      large: [],
      nobar: [],
      lonely: ['…'].slice(1),
      wrong: [],
      many: [],
      fine: ['10.0.0.5'],
      hidden: [],
    });
    rmSync(bad, {recursive: true});
  });
});

describe('messages', () => {
  test('a reply keeps to the size the asker takes, and is whole over TCP', async () => {
    const names = Array.from({length: 200}, (_, index) => `r${index}`);
    for (const [index, name] of names.entries()) putNames(shop, name, `172.18.2.${index} | ${name} replicas\n`);
    const plain = await bed.container.run(askUdp, [encodeQuery('replicas', types.A)]);
    expect(plain?.length).toBeLessThanOrEqual(512);
    expect(decodeMessage(plain ?? Buffer.alloc(0)).truncated).toBe(true);
    const edns = await bed.container.run(askUdp, [encodeQuery('replicas', types.A, {edns: 1232})]);
    expect(edns?.length).toBeGreaterThan(1200);
    expect(edns?.length).toBeLessThanOrEqual(1232);
    expect(decodeMessage(edns ?? Buffer.alloc(0))).toMatchObject({truncated: true, edns: 4096});
    expect(await ask('replicas', types.A, {edns: 65_535})).toMatchObject({truncated: false});
    const {messages} = await bed.container.run(askTcp, tcpFrame(encodeQuery('replicas', types.A)));
    const whole = decodeMessage(messages[0] ?? Buffer.alloc(0));
    expect(whole.truncated).toBe(false);
    expect(new Set(whole.answers.map(({data}) => data)).size).toBe(200);
    for (const name of names) unlinkSync(join(shop, name));
  });

  test('several questions over one connection are answered in turn, however they arrive', async () => {
    const frames = ['web', 'nobody', 'front'].map((name, id) => tcpFrame(encodeQuery(name, types.A, {id})));
    for (const options of [{}, {piece: 1}, {halfClose: true}]) {
      const {messages} = await bed.container.run(askTcp, Buffer.concat(frames), {count: 3, ...options});
      expect(messages.map(decodeMessage).map(({id, rcode, answers}) => [id, rcode, answers.length])).toEqual([
        [0, 0, 2],
        [1, 3, 0],
        [2, 0, 1],
      ]);
    }
  });

  test('of more than 64 connections the one that is idle for longest gives way', async () => {
    const closed = await bed.container.run(async () => {
      const net = process.getBuiltinModule('node:net');
      const ended: number[] = [];
      const sockets: import('node:net').Socket[] = [];
      for (let index = 0; index < 70; index += 1) {
        const socket = net.connect({port: 53, host: '127.0.0.11'});
        socket.on('error', () => {});
        socket.on('close', () => ended.push(index));
        await new Promise((resolve) => socket.once('connect', resolve));
        sockets.push(socket);
      }
      for (let round = 0; round < 1000 && ended.length < 6; round += 1)
        await new Promise((resolve) => setTimeout(resolve, 10));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const early = [...ended];
      for (const socket of sockets) socket.destroy();
      return early;
    });
    expect(closed.sort()).toEqual([0, 1, 2, 3, 4, 5]);
    const {messages} = await bed.container.run(askTcp, tcpFrame(encodeQuery('web', types.A)));
    expect(messages).toHaveLength(1);
  });

  test('what is no question is refused or ignored', async () => {
    const query = encodeQuery('web', types.A);
    const change = (at: number, value: number): Buffer => {
      const changed = Buffer.from(query);
      changed.writeUInt8(value, at);
      return changed;
    };
    const cases: readonly (readonly [string, Buffer, number | null])[] = [
      ['empty', Buffer.alloc(0), null],
      ['shorter than a header', query.subarray(0, 11), null],
      ['a response', change(2, 0x81), null],
      ['another operation', change(2, 0x29), 4],
      ['no question', change(5, 0), 1],
      ['two questions', change(5, 2), 1],
      ['cut in the name', query.subarray(0, 14), 1],
      ['cut in the type', query.subarray(0, query.length - 1), 1],
      ['a pointer in the question', change(12, 0xc0), 1],
      ['a label of 64 bytes', change(12, 64), 1],
      ['more records than there are', change(11, 9), 1],
      ['EDNS version 1', encodeQuery('web', types.A, {edns: 1232, ednsVersion: 0x0001}), 16],
      ['a name of 256 bytes', encodeQuery(Array.from({length: 4}, () => 'x'.repeat(63)).join('.'), types.A), 1],
    ];
    for (const [what, message, rcode] of cases) {
      const reply = await bed.container.run(askUdp, [message], rcode === null ? 100 : 30_000);
      expect([what, reply === null ? null : decodeMessage(reply).rcode]).toEqual([what, rcode]);
    }
    const longest = `${Array.from({length: 3}, () => 'x'.repeat(63)).join('.')}.${'y'.repeat(61)}`;
    expect((await ask(longest, types.A)).rcode).toBe(3);
  });

  test('a label with a dot inside is not two labels', async () => {
    const query = encodeQuery('my-app.example', types.A);
    query.write('.', 15);
    expect(decodeMessage((await bed.container.run(askUdp, [query])) ?? Buffer.alloc(0)).rcode).toBe(3);
  });
});

describe('real resolvers', () => {
  test('c-ares, as in Node', async () => {
    expect(await bed.container.run(resolveWith, 'resolve4', 'web')).toHaveLength(2);
    expect(await bed.container.run(resolveWith, 'resolve6', 'front')).toEqual(['fd00::2']);
    expect(await bed.container.run(resolveWith, 'resolve6', 'shop-web-1.shop_back')).toBe('ENODATA');
    expect(await bed.container.run(resolveWith, 'resolveMx', 'web')).toBe('ENODATA');
    expect(await bed.container.run(resolveWith, 'resolve4', 'nobody')).toBe('ENOTFOUND');
    expect(await bed.container.run(resolveWith, 'reverse', '172.18.0.3')).toEqual(['shop-web-2.shop_default']);
  });

  test('the C library’s, with ndots:0 as containers have it', () => {
    const file = join(bed.directory, 'resolv.conf');
    writeFileSync(file, 'nameserver 127.0.0.11\noptions ndots:0\n');
    const getent = (database: string, name: string) =>
      bed.inContainer(
        `exec unshare -m sh -c 'mount --bind ${file} /etc/resolv.conf && exec getent ${database} ${name}'`,
      );
    expect(getent('ahostsv4', 'web').stdout).toMatch(/^172\.18\.0\.[23] +STREAM web$/m);
    expect(getent('ahostsv6', 'front').stdout).toMatch(/^fd00::2 +STREAM front$/m);
    expect(getent('hosts', '172.18.0.2').stdout).toMatch(/^172\.18\.0\.2 +shop-web-1\.shop_default$/m);
    expect(getent('ahosts', 'nobody').status).toBe(2);
  });
});
