import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {pack} from 'tar-stream';
import {afterAll, beforeAll, beforeEach, expect, test} from 'vitest';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
let server: Server;
let host = '';
const seen = new Set<string | undefined>();
const auth = {username: 'ada', password: 'lovelace'};
const basic = `Basic ${Buffer.from('ada:lovelace').toString('base64')}`;

beforeAll(async () => {
  bed = await openTestEngine({encode: true});
  // A registry that lets nobody in.
  server = createServer((request, response) => {
    seen.add(request.headers.authorization);
    response.writeHead(401, {'www-authenticate': 'Basic realm="here"'}).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await bed?.close();
});

beforeEach(() => seen.clear());

test('an archive is built with the credentials of its request', async () => {
  const build = async (registryconfig: Record<string, typeof auth>) => {
    const tar = pack();
    tar.entry({name: 'Dockerfile'}, `FROM ${host}/a:1\nENV A=1\n`);
    tar.finalize();
    const lines = await bed.docker.buildImage(tar as unknown as AsyncIterable<Uint8Array>, {registryconfig});
    await bed.docker.followProgress(lines);
  };
  await expect(build({'elsewhere.example': auth})).rejects.toThrow();
  expect([...seen]).toEqual([undefined]);
  await expect(build({[`http://${host}/v1/`]: auth})).rejects.toThrow();
  expect(seen).toContain(basic);
});

test('files of the machine are built with those of whoever asks', async () => {
  const body = plainBody(`FROM ${host}/a:1\nENV A=1\n`, {auths: {[host]: auth}});
  await expect(eventsOf(bed.engine, body)).rejects.toThrow();
  expect(seen).toContain(basic);
});
