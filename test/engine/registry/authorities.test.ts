import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer as createPlainServer, type IncomingMessage} from 'node:http';
import {createServer, type Server} from 'node:https';
import {type AddressInfo, connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {authorityFiles, readAuthorities} from '../../../src/engine/registry/authorities.ts';
import {createHttp} from '../../../src/engine/registry/http.ts';
import type {ProxySettings} from '../../../src/engine/registry/proxies.ts';
import {bytesOf} from '../../support/read-tar.ts';
import {makeCertificate} from '../../support/registry.ts';

let directory: string;
let certificate: string;
let server: Server;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-authorities-'));
  const made = makeCertificate(directory);
  certificate = made.file;
  server = createServer({key: readFileSync(made.key), cert: readFileSync(certificate)}, (_, response) =>
    response.end('served'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(directory, {recursive: true, force: true});
});

/** What the server says to a client that trusts these files. */
async function ask(
  files: readonly (readonly string[])[],
  {proxy = {}, url}: {readonly proxy?: ProxySettings; readonly url?: URL} = {},
): Promise<string> {
  const http = createHttp({authorityFiles: files, proxy, stallMs: 10_000, userAgent: 'test'});
  try {
    const {body} = await http.send({
      method: 'GET',
      url: url ?? new URL(`https://localhost:${(server.address() as AddressInfo).port}/`),
      tls: {verify: true, ca: []},
      signal: new AbortController().signal,
    });
    return (await bytesOf(body)).toString();
  } finally {
    await http.close();
  }
}

test.each(['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'])('an authority that %s names is trusted', async (variable) => {
  expect(await ask(authorityFiles({[variable]: certificate}))).toBe('served');
});

test.each<readonly [string, Readonly<Record<string, string>>]>([
  ['is not named', {}],
  ['stands in a file that cannot be read', {SSL_CERT_FILE: '/nonexistent/authority.pem'}],
])('a server whose authority %s is not trusted', async (_, env) => {
  await expect(ask(authorityFiles(env))).rejects.toMatchObject({
    kind: 'forbidden',
    message: expect.stringContaining('its certificate is not trusted'),
  });
});

test('a proxy that is reached by TLS is trusted by the same authorities', async () => {
  const behind = createPlainServer((_, response) => response.end('behind'));
  await new Promise<void>((resolve) => behind.listen(0, '127.0.0.1', resolve));
  const passOn = (_: IncomingMessage, client: Duplex) => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    const target = connect((behind.address() as AddressInfo).port, '127.0.0.1');
    target.pipe(client).pipe(target);
    target.on('error', () => client.destroy());
    client.on('error', () => undefined).on('close', () => target.destroy());
  };
  server.on('connect', passOn);
  const proxy = {http: `https://localhost:${(server.address() as AddressInfo).port}`};
  const url = new URL('http://registry.example/');
  try {
    expect(await ask(authorityFiles({SSL_CERT_FILE: certificate}), {proxy, url})).toBe('behind');
    await expect(ask(authorityFiles({}), {proxy, url})).rejects.toMatchObject({kind: 'forbidden'});
  } finally {
    server.off('connect', passOn);
    await new Promise((resolve) => behind.close(resolve));
  }
});

test('a file that is no certificate adds nothing, and keeps nothing from working', async () => {
  const file = join(directory, 'notes.txt');
  writeFileSync(file, 'no certificate');
  expect(await ask(authorityFiles({NODE_EXTRA_CA_CERTS: file, SSL_CERT_FILE: certificate}))).toBe('served');
});

test('all files of the directories that SSL_CERT_DIR names count', async () => {
  const places = ['empty', 'full'].map((name) => join(directory, name));
  for (const place of places) mkdirSync(place);
  copyFileSync(certificate, join(places[1] ?? '', 'authority.crt'));
  mkdirSync(join(places[1] ?? '', 'below'));
  writeFileSync(join(places[1] ?? '', 'README'), 'no certificate');
  expect(await ask(authorityFiles({SSL_CERT_DIR: `/nonexistent:${places.join(':')}`}))).toBe('served');
});

test('of a list the first file that there is counts', async () => {
  const other = join(directory, 'other.pem');
  writeFileSync(other, 'other');
  expect(await readAuthorities([['/nonexistent/a.pem', certificate, other], ['/nonexistent/b.pem']])).toEqual([
    readFileSync(certificate, 'utf8'),
  ]);
});
