import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:https';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {authorityFiles, readAuthorities} from '../../../src/engine/registry/authorities.ts';
import {createHttp} from '../../../src/engine/registry/http.ts';
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
async function ask(files: readonly (readonly string[])[]): Promise<string> {
  const http = createHttp({authorityFiles: files, proxy: {}, stallMs: 10_000, userAgent: 'test'});
  try {
    const {body} = await http.send({
      method: 'GET',
      url: new URL(`https://localhost:${(server.address() as AddressInfo).port}/`),
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

test('a file that is no certificate adds nothing, and keeps nothing from working', async () => {
  const file = join(directory, 'notes.txt');
  writeFileSync(file, 'no certificate');
  expect(await ask(authorityFiles({NODE_EXTRA_CA_CERTS: file, SSL_CERT_FILE: certificate}))).toBe('served');
});

test('of a list the first file that there is counts', async () => {
  const other = join(directory, 'other.pem');
  writeFileSync(other, 'other');
  expect(await readAuthorities([['/nonexistent/a.pem', certificate, other], ['/nonexistent/b.pem']])).toEqual([
    readFileSync(certificate, 'utf8'),
  ]);
});
