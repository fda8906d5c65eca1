import {mkdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {askUdp} from './dns-ask.ts';
import {decodeMessage, encodeQuery, types} from './dns-messages.ts';
import {startUpstream, takeSeen} from './dns-upstream.ts';
import {makeNetworkBed, type NetworkBed, type NetworkChild} from './network-bed.ts';

let bed: NetworkBed;
let file: string;
let child: NetworkChild | undefined;
// 0: no error, 2: a server failure.
const servers = ['127.0.0.53', '127.0.0.54', '::1'] as const;

beforeAll(async () => {
  bed = await makeNetworkBed();
  file = join(bed.directory, 'resolv.conf');
  mkdirSync(join(bed.directory, 'names'));
  for (const address of servers) await bed.machine.run(startUpstream, address, 53);
});
afterAll(() => bed[Symbol.asyncDispose]());

/** A child whose plan named these upstreams, and the file that they were from. */
async function start(...upstreams: readonly string[]): Promise<void> {
  await child?.stop();
  child = await bed.start({
    lines: [
      'dns 127.0.0.11 53',
      `network shop ${join(bed.directory, 'names')}`,
      ...upstreams.map((address) => `upstream ${address} 53`),
      `resolvers ${file}`,
    ],
  });
}

/** Who is asked for a name that is not ours, and what comes of it. */
async function ask(name: string): Promise<{readonly rcode: number; readonly asked: readonly string[]}> {
  const reply = await bed.container.run(askUdp, [encodeQuery(name, types.A)], 20_000);
  if (reply === null) throw new Error(`no reply for ${name}`);
  const asked: string[] = [];
  for (const address of servers) {
    const seen = await bed.machine.run(takeSeen, address, 53);
    if (seen.some((question) => question.name === name)) asked.push(address);
  }
  return {rcode: decodeMessage(reply).rcode, asked};
}

describe('the name servers of a file', () => {
  test('are asked from the moment that the file names them', async () => {
    writeFileSync(file, 'nameserver 127.0.0.53\n');
    await start('127.0.0.53');
    expect(await ask('one.example')).toEqual({rcode: 0, asked: ['127.0.0.53']});
    writeFileSync(file, '# changed in place\nsearch example\nnameserver 127.0.0.54 ; with a remark\n');
    expect(await ask('two.example')).toEqual({rcode: 0, asked: ['127.0.0.54']});
    writeFileSync(`${file}.new`, 'nameserver ::1\n');
    renameSync(`${file}.new`, file);
    expect(await ask('three.example')).toEqual({rcode: 0, asked: ['::1']});
  });

  test('are all tried, also those that came later', async () => {
    writeFileSync(file, 'nameserver 127.0.0.53\n');
    await start('127.0.0.53');
    // Nobody listens at the first.
    writeFileSync(file, 'nameserver 127.0.0.99\nnameserver fe80::1%eth0\nnameserver 127.0.0.54\n');
    expect(await ask('both.example')).toEqual({rcode: 0, asked: ['127.0.0.54']});
  });

  test('stay while it names nobody, or is not there', async () => {
    writeFileSync(file, 'nameserver 127.0.0.54\n');
    await start('127.0.0.53');
    expect(await ask('before.example')).toEqual({rcode: 0, asked: ['127.0.0.54']});
    writeFileSync(file, '');
    expect(await ask('emptied.example')).toEqual({rcode: 0, asked: ['127.0.0.54']});
    rmSync(file);
    expect(await ask('removed.example')).toEqual({rcode: 0, asked: ['127.0.0.54']});
  });

  test('may come when there was none before', async () => {
    rmSync(file, {force: true});
    await start();
    expect(await ask('nobody.example')).toEqual({rcode: 2, asked: []});
    writeFileSync(file, 'nameserver 127.0.0.53\n');
    expect(await ask('somebody.example')).toEqual({rcode: 0, asked: ['127.0.0.53']});
  });
});
