import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {connect, createServer, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {duplexPair} from 'node:stream';
import {expect, test} from 'vitest';
import {limitClients, relay} from '../../../../src/engine/build/agents/relay.ts';

function joined() {
  const [client, clientSide] = duplexPair();
  const [agentSide, agent] = duplexPair();
  relay(clientSide, agentSide);
  return {client, clientSide, agent, agentSide};
}

test('what one says the other hears', async () => {
  const {client, agent} = joined();
  client.write('asked');
  expect(String((await once(agent, 'data'))[0])).toBe('asked');
  agent.write('answered');
  expect(String((await once(client, 'data'))[0])).toBe('answered');
});

test('a client that is gone takes its agent with it, though it has not read what that says', async () => {
  const {clientSide, agent, agentSide} = joined();
  agent.write(Buffer.alloc(1024 * 1024));
  const closed = once(agentSide, 'close');
  clientSide.destroy();
  await closed;
});

test('an agent that goes without a word ends its client', async () => {
  const {client, agentSide} = joined();
  const ended = once(client.resume(), 'end');
  agentSide.destroy();
  await ended;
});

test('so many clients are served at a time, and no more', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tsc-relay-'));
  const path = join(directory, 'agent.sock');
  const server = createServer((client) => client.on('error', () => undefined).write('served'));
  limitClients(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const clients: Socket[] = [];
  const isServed = () =>
    new Promise<boolean>((resolve) => {
      const client = connect(path);
      clients.push(client);
      client.once('data', () => resolve(true));
      client.once('close', () => resolve(false));
      client.on('error', () => undefined);
    });
  for (let count = 0; count < server.maxConnections; count += 1) expect(await isServed()).toBe(true);
  expect(await isServed()).toBe(false);
  for (const client of clients) client.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, {recursive: true});
});
