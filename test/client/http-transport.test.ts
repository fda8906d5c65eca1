import {mkdtempSync, rmSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {Docker} from '../../src/client/docker.ts';
import {httpTransport} from '../../src/client/http-transport.ts';

const servers: Server[] = [];
const dockers: Docker[] = [];
afterEach(async () => {
  for (const docker of dockers.splice(0)) await docker.close();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
}

/** An engine that answers what it is told, and remembers what it was asked. */
async function engine(
  answer: (response: ServerResponse, message: IncomingMessage) => void,
  ping: Readonly<Record<string, string>> = {'Api-Version': '1.47'},
): Promise<{readonly docker: Docker; readonly seen: Seen[]; readonly port: number}> {
  const seen: Seen[] = [];
  const server = createServer((message, response) => {
    const {method, url, headers} = message;
    seen.push({method, url, headers});
    if (url === '/_ping') response.writeHead(200, ping).end();
    else answer(response, message);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  const docker = new Docker({host: '127.0.0.1', port});
  dockers.push(docker);
  return {docker, seen, port};
}

const json =
  (value: unknown, status = 200) =>
  (response: ServerResponse) =>
    void response.writeHead(status, {'Content-Type': 'application/json'}).end(JSON.stringify(value));

describe('the version of the API', () => {
  it.each([
    ['1.47', '/v1.47/version'],
    ['1.42', '/v1.42/version'],
    ['1.60', '/v1.51/version'],
  ])('is agreed on with an engine of version %s', async (offered, url) => {
    const {docker, seen} = await engine(json({Version: '1'}), {'Api-Version': offered});
    await docker.version();
    await docker.version();
    expect(seen.map((request) => `${request.method} ${request.url}`)).toEqual([
      'HEAD /_ping',
      `GET ${url}`,
      `GET ${url}`,
    ]);
  });

  it('may be stated', async () => {
    const {seen, port} = await engine(json({}));
    const docker = new Docker({host: '127.0.0.1', port, version: '1.43', headers: {'X-Token': 'secret'}});
    dockers.push(docker);
    await docker.version();
    expect(seen).toEqual([
      expect.objectContaining({url: '/v1.43/version', headers: expect.objectContaining({'x-token': 'secret'})}),
    ]);
  });

  it('may be too old', async () => {
    const {docker, port} = await engine(json({}), {'Api-Version': '1.41'});
    await expect(docker.version()).rejects.toMatchObject({
      kind: 'unsupported',
      message: `cannot use the engine at tcp://127.0.0.1:${port}: it speaks version 1.41 of the API, at least 1.42 is needed`,
    });
  });

  it('is stated by engines only', async () => {
    const {docker, port} = await engine(json({}), {});
    await expect(docker.version()).rejects.toMatchObject({
      kind: 'unavailable',
      message: `what listens at tcp://127.0.0.1:${port} is not a container engine`,
    });
  });

  it('is asked for again after a failure', async () => {
    const socketPath = join(mkdtempSync(join(tmpdir(), 'tsc-http-')), 'engine.sock');
    const transport = httpTransport({kind: 'unix', socketPath, options: {}});
    await expect(transport.features()).rejects.toMatchObject({kind: 'unavailable'});
    const server = createServer(
      (_, response) =>
        void response.writeHead(200, {'Api-Version': '1.51', 'X-Tscompose-Features': 'files, new'}).end(),
    );
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(socketPath, resolve));
    expect([...(await transport.features())]).toEqual(['files']);
    await transport.close();
    rmSync(join(socketPath, '..'), {recursive: true});
  });
});

describe('answers', () => {
  it.each([
    [400, 'invalid'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'notFound'],
    [405, 'invalid'],
    [409, 'conflict'],
    [500, 'internal'],
    [501, 'unsupported'],
    [502, 'internal'],
    [503, 'unavailable'],
  ])('of status %d are errors of kind %s', async (statusCode, kind) => {
    const {docker} = await engine(json({message: 'the reason'}, statusCode));
    await expect(docker.listNetworks()).rejects.toMatchObject({
      kind,
      statusCode,
      message: 'the reason',
      json: {message: 'the reason'},
    });
  });

  it('may be errors in plain text, or of a kind that is not known here', async () => {
    const {docker} = await engine(
      (response) => void response.writeHead(503, {'X-Tscompose-Error-Kind': 'overslept'}).end('come back later\n'),
    );
    await expect(docker.listNetworks()).rejects.toMatchObject({
      kind: 'internal',
      statusCode: 503,
      message: 'come back later',
    });
  });

  it('that break off are no answers', async () => {
    const {docker} = await engine((response) => {
      response.writeHead(200, {'Content-Type': 'application/json', 'Content-Length': '100'});
      response.write('[{}');
      setTimeout(() => response.destroy(), 20);
    });
    await expect(docker.listNetworks()).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'the engine closed the connection in the middle of an answer',
    });
  });

  it('may come before a body was read', async () => {
    const {docker} = await engine((response) => {
      response.writeHead(400, {'Content-Type': 'application/json', Connection: 'close'});
      response.end('{"message":"not an archive"}');
    });
    let sent = 0;
    const endless = (async function* () {
      for (; sent < 2000; sent++) yield Buffer.alloc(64 * 1024);
    })();
    await expect(docker.loadImage(endless)).rejects.toMatchObject({kind: 'invalid', message: 'not an archive'});
    expect(sent).toBeLessThan(2000);
  });

  it('other than an upgrade are errors', async () => {
    const {docker} = await engine(json({message: 'No such container: web'}, 404));
    await expect(docker.getContainer('web').attach()).rejects.toMatchObject({
      kind: 'notFound',
      message: 'No such container: web',
    });
  });
});

describe('requests', () => {
  it('carry their body with its length', async () => {
    let body = '';
    const {docker, seen} = await engine((response, message) => {
      message.on('data', (data) => {
        body += String(data);
      });
      message.on('end', () => json({Id: 'n1', Warning: ''}, 201)(response));
    });
    await docker.createNetwork({Name: 'ü'});
    expect(body).toBe('{"Name":"ü"}');
    expect(seen.at(-1)?.headers).toMatchObject({'content-type': 'application/json', 'content-length': '13'});
  });

  it('carry an archive piece by piece', async () => {
    let size = 0;
    const {docker, seen} = await engine((response, message) => {
      message.on('data', (data: Buffer) => {
        size += data.length;
      });
      message.on('end', () => response.writeHead(200).end());
    });
    const archive = (async function* () {
      for (let piece = 0; piece < 100; piece++) yield Buffer.alloc(10_000);
    })();
    await docker.getContainer('web').putArchive(archive, {path: '/a b', copyUIDGID: true});
    expect(size).toBe(1_000_000);
    expect(seen.at(-1)).toMatchObject({
      method: 'PUT',
      url: '/v1.47/containers/web/archive?path=%2Fa+b&copyUIDGID=1',
      headers: {'transfer-encoding': 'chunked', 'content-type': 'application/x-tar'},
    });
  });

  it('end where their body fails', async () => {
    const {docker} = await engine((response, message) => message.on('end', () => response.end()).resume());
    const failing = (async function* () {
      yield Buffer.from('start');
      throw new Error('the file is gone');
    })();
    await expect(docker.loadImage(failing)).rejects.toMatchObject({kind: 'internal', message: 'the file is gone'});
  });
});

describe('an engine that is not there', () => {
  it('is named, with what to do', async () => {
    const docker = new Docker({socketPath: '/nonexistent/engine.sock'});
    await expect(docker.version()).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'cannot reach the engine at unix:///nonexistent/engine.sock: there is no such socket',
      hint: 'check the address (--host or TSCOMPOSE_HOST), and that the engine runs',
    });
    await expect(docker.getContainer('web').attach()).rejects.toMatchObject({kind: 'unavailable'});
  });

  it('may be a closed port', async () => {
    const {docker, port} = await engine(json({}));
    for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
    await expect(docker.version()).rejects.toMatchObject({
      kind: 'unavailable',
      message: `cannot reach the engine at tcp://127.0.0.1:${port}: nothing listens there`,
    });
  });
});
