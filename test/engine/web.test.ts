import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import {type AddressInfo, connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';
import {deflateSync, gzipSync} from 'node:zlib';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {createWeb, type WebOptions, webAddress} from '../../src/engine/web.ts';
import {bytesOf} from '../support/read-tar.ts';
import {makeCertificate} from '../support/registry.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const signal = new AbortController().signal;
const plain: WebOptions = {authorityFiles: [], proxy: {}, userAgent: 'tscompose/test'};
let directory: string;
let servers: Server[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-web-'));
});
afterAll(() => rmSync(directory, {recursive: true, force: true}));
beforeEach(() => {
  servers = [];
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function serve(answer: Answer, port = 0): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What a server serves, as text. */
async function get(url: string, {authorization, ...options}: Partial<WebOptions> & {authorization?: string} = {}) {
  const web = createWeb({...plain, ...options});
  try {
    const {body} = await web.get({url: webAddress(url), authorization, signal});
    return (await bytesOf(body)).toString('latin1');
  } finally {
    await web.close();
  }
}

const sendOn =
  (location: string): Answer =>
  (_, response) =>
    response.writeHead(302, {location}).end();

test('a user of the address goes before the credentials that are given, and neither goes to another origin', async () => {
  const seen: (string | undefined)[] = [];
  const other = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.end('there');
  });
  const first = await serve((request, response) => {
    seen.push(request.headers.authorization);
    if (request.url === '/here') response.end('here');
    else response.writeHead(307, {location: request.url === '/away' ? `${other}/x` : '/here'}).end();
  });
  const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  expect(await get(`${first.replace('://', '://me:p%40ss@')}/same`, {authorization: 'Bearer x'})).toBe('here');
  expect(await get(`${first}/away`, {authorization: 'Bearer x'})).toBe('there');
  expect(seen).toEqual([basic, basic, 'Bearer x', undefined]);
});

test('what was compressed for the way is decompressed; any other encoding is content', async () => {
  const deflated = deflateSync('deflated');
  const url = await serve((request, response) => {
    const [coding, content] = request.url === '/gzip' ? ['gzip', gzipSync('text')] : ['deflate', deflated];
    response.writeHead(200, {'content-encoding': coding as string}).end(content);
  });
  expect(await get(`${url}/gzip`)).toBe('text');
  expect(await get(`${url}/deflate`)).toBe(deflated.toString('latin1'));
});

test('no content is an empty file', async () => {
  expect(await get(await serve((_, response) => response.writeHead(204).end()))).toBe('');
});

test('ports that browsers refuse are ports', async () => {
  // Of fetch's list: one of them is free.
  for (const port of [6665, 6666, 6667, 6668, 6669, 10080]) {
    const url = await serve((_, response) => response.end('served'), port).catch(() => undefined);
    if (url === undefined) continue;
    expect(await get(url)).toBe('served');
    return;
  }
  throw new Error('each of the ports is in use');
});

test('authorities of the machine are trusted, and no others', async () => {
  const {key, file} = makeCertificate(directory);
  const server = createSecureServer({key: readFileSync(key), cert: readFileSync(file)}, (_, response) =>
    response.end('served'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server as unknown as Server);
  const url = `https://localhost:${(server.address() as AddressInfo).port}/x`;
  expect(await get(url, {authorityFiles: [[file]]})).toBe('served');
  await expect(get(url)).rejects.toMatchObject({
    kind: 'forbidden',
    message: expect.stringMatching(`^cannot fetch ${url}: its certificate is not trusted: `),
    hint: "put its authority's certificate among those that the machine trusts",
  });
});

test('a proxy is asked for what is plain, and for a tunnel to what is not', async () => {
  const asked: string[] = [];
  const proxy = await serve((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('by proxy');
  });
  servers[0]?.on('connect', (request: IncomingMessage, client) => {
    asked.push(`${request.method} ${request.url}`);
    client.end('HTTP/1.1 403 no\r\n\r\n');
  });
  const settings = {proxy: {http: proxy, https: proxy.replace('http://', '')}};
  expect(await get('http://files.example/x', settings)).toBe('by proxy');
  await expect(get('https://files.example/x', settings)).rejects.toMatchObject({
    kind: 'unavailable',
    message: 'cannot fetch https://files.example/x: the proxy answered 403',
  });
  expect(asked).toEqual(['GET http://files.example/x', 'CONNECT files.example:443']);
});

test('through a tunnel a server is believed by its certificate, as without', async () => {
  const {key, file} = makeCertificate(directory);
  const secure = createSecureServer({key: readFileSync(key), cert: readFileSync(file)}, (_, response) =>
    response.end(),
  );
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const proxy = await serve((_, response) => response.writeHead(500).end());
  servers[0]?.on('connect', (_: IncomingMessage, client: Duplex) => {
    const target = connect((secure.address() as AddressInfo).port, '127.0.0.1');
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
    target.pipe(client).pipe(target);
  });
  servers.push(secure as unknown as Server);
  // It is for this machine, and not for that one.
  await expect(get('https://files.example/x', {authorityFiles: [[file]], proxy: {https: proxy}})).rejects.toMatchObject(
    {kind: 'forbidden', message: expect.stringContaining("does not match certificate's altnames")},
  );
});

test('a proxy that is none concerns only what would go by it', async () => {
  const url = await serve((_, response) => response.end('served'));
  const web = createWeb({...plain, proxy: {http: 'socks5://me:p4ss@proxy'}});
  expect((await bytesOf((await web.get({url: webAddress(url), signal})).body)).toString()).toBe('served');
  await expect(web.get({url: webAddress('http://files.example/'), signal})).rejects.toMatchObject({
    kind: 'invalid',
    message: 'HTTP_PROXY is no address of a proxy',
  });
  await web.close();
});

test('credentials do not come back from another origin, which may send us anywhere', async () => {
  const seen: [string | undefined, string | undefined][] = [];
  const addresses = {first: '', other: ''};
  addresses.other = await serve((request, response) => {
    seen.push([request.url, request.headers.authorization]);
    response.writeHead(302, {location: `${addresses.first}/stolen`}).end();
  });
  addresses.first = await serve((request, response) => {
    seen.push([request.url, request.headers.authorization]);
    if (request.url === '/stolen') response.end('end');
    else response.writeHead(302, {location: addresses.other.replace('://', '://you:there@')}).end();
  });
  expect(await get(`${addresses.first}/x`, {authorization: 'Bearer x'})).toBe('end');
  const there = `Basic ${Buffer.from('you:there').toString('base64')}`;
  expect(seen).toEqual([
    ['/x', 'Bearer x'],
    ['/', there],
    ['/stolen', undefined],
  ]);
});

test('who fails after a redirect is named', async () => {
  const nowhere = await serve(() => undefined);
  const [server] = servers.splice(0);
  await new Promise((resolve) => server?.close(resolve));
  const url = await serve(sendOn(`${nowhere}/z`));
  await expect(get(url)).rejects.toMatchObject({
    message: `cannot fetch ${url}/: ${new URL(nowhere).host}: connection refused`,
  });
});

describe('compressed content that is', () => {
  const compressed = gzipSync('x'.repeat(1000));
  test.each([
    ['damaged', Buffer.from('no gzip'), /^cannot fetch http:.*: the gzip data is damaged or cut off$/],
    ['cut off', compressed.subarray(0, -4), /^cannot fetch http:.*: the gzip data is damaged or cut off$/],
  ])('%s is told of by whoever reads it, however late', async (_, content, message) => {
    const url = await serve((_request, response) => response.writeHead(200, {'content-encoding': 'gzip'}).end(content));
    const web = createWeb(plain);
    const {body} = await web.get({url: webAddress(url), signal});
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(bytesOf(body)).rejects.toMatchObject({kind: 'invalid', message: expect.stringMatching(message)});
    await web.close();
  });

  test('empty is empty', async () => {
    const headers = {'content-encoding': 'gzip', 'content-length': '0'};
    expect(await get(await serve((_, response) => response.writeHead(200, headers).end()))).toBe('');
  });

  test('never read, and given up, disturbs nobody', async () => {
    const url = await serve((_, response) => response.writeHead(200, {'content-encoding': 'gzip'}).write(compressed));
    const stop = new AbortController();
    const web = createWeb(plain);
    await web.get({url: webAddress(url), signal: stop.signal});
    stop.abort();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await web.close();
  });
});

test.each<readonly [string, Answer, object]>([
  [
    'is not there',
    (_, response) => response.writeHead(404).end(),
    {kind: 'notFound', message: ': the server answered 404'},
  ],
  [
    'needs a login',
    (_, response) => response.writeHead(401).end(),
    {kind: 'unauthorized', message: ': the server answered 401'},
  ],
  [
    'is for others',
    (_, response) => response.writeHead(403).end(),
    {kind: 'forbidden', message: ': the server answered 403'},
  ],
  [
    'fails',
    (_, response) => response.writeHead(503).end(),
    {kind: 'unavailable', message: ': the server answered 503'},
  ],
  [
    'is sent on to nowhere',
    (_, response) => response.writeHead(302).end(),
    {kind: 'unavailable', message: ': the server answered 302'},
  ],
  ['is always elsewhere', sendOn('/x'), {kind: 'invalid', message: ': we are sent on 10 times'}],
  [
    'is of another scheme',
    sendOn('file:///etc/passwd'),
    {kind: 'invalid', message: /: it sends us to no address of a web server$/},
  ],
  ['is nowhere', sendOn('http://['), {kind: 'invalid', message: /: it sends us to no address of a web server$/}],
  [
    'breaks off',
    (_, response) => void response.writeHead(200, {'content-length': 10}).write('part', () => response.destroy()),
    {kind: 'unavailable', message: /: the connection was (?:closed|reset)$/},
  ],
])(
  'a file that %s is told of with its address, without a password',
  async (_, answer, {kind, message}: {kind?: string; message?: string | RegExp}) => {
    const url = await serve(answer);
    const error = (await get(url.replace('://', '://me:p4ss@')).catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({kind});
    expect(error.message).toContain(`cannot fetch ${url.replace('://', '://xxxxx:xxxxx@')}/: `);
    expect(error.message).not.toContain('p4ss');
    if (message instanceof RegExp) expect(error.message).toMatch(message);
    else expect(error.message.endsWith(message ?? '')).toBe(true);
  },
);

test('nobody who listens is told without a word of registries', async () => {
  const url = await serve(() => undefined);
  const [server] = servers.splice(0);
  await new Promise((resolve) => server?.close(resolve));
  await expect(get(url)).rejects.toMatchObject({
    kind: 'unavailable',
    message: `cannot fetch ${url}/: connection refused`,
    hint: undefined,
  });
});

test.each(['ftp://host/x', 'x', 'http://', 'file:///etc/passwd'])('"%s" is no address', (text) => {
  expect(() => webAddress(text)).toThrow(`"${text}" is no address of a web server`);
});
