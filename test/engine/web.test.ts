import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {deflateSync, gzipSync} from 'node:zlib';
import {afterAll, afterEach, beforeAll, beforeEach, expect, test} from 'vitest';
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

test('a proxy of the environment is asked', async () => {
  const asked: (string | undefined)[] = [];
  const proxy = await serve((request, response) => {
    asked.push(request.url);
    response.end('by proxy');
  });
  // A tunnel to the web server: the proxy's own server is as good as any.
  servers[0]?.on('connect', (request: IncomingMessage, client) => {
    asked.push(request.url);
    client.end('HTTP/1.1 502 no\r\n\r\n');
  });
  await get('http://files.example/x', {proxy: {http: proxy}}).catch(() => undefined);
  expect(asked[0]).toMatch(/^(?:http:\/\/)?files\.example/);
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
    'is a part',
    (_, response) => response.writeHead(204).end(),
    {kind: 'unavailable', message: ': the server answered 204'},
  ],
  ['is always elsewhere', sendOn('/x'), {kind: 'invalid', message: ': it sends us on more than 10 times'}],
  [
    'is of another scheme',
    sendOn('file:///etc/passwd'),
    {kind: 'invalid', message: / sends us to no address of a web server$/},
  ],
  ['is nowhere', sendOn('http://['), {kind: 'invalid', message: / sends us to no address of a web server$/}],
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
