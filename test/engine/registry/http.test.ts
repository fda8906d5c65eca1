import {createServer, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {createHttp, type Http} from '../../../src/engine/registry/http.ts';

let http: Http;
const waiting = new Map<string, ServerResponse>();
const server = createServer((request, response) => void waiting.set(request.method ?? '', response));
beforeEach(async () => {
  http = createHttp({authorityFiles: [], proxy: {}, stallMs: 1000, userAgent: 'test'});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await http.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it('the end of an upload is waited for longer than other answers', async () => {
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const send = (method: 'GET' | 'PUT') =>
    http.send({method, url, tls: {verify: true, ca: []}, signal: new AbortController().signal});
  const put = send('PUT');
  await expect(send('GET')).rejects.toMatchObject({kind: 'timeout'});
  await expect.poll(() => waiting.has('PUT')).toBe(true);
  waiting.get('PUT')?.writeHead(201).end();
  const response = await put;
  response.discard();
  expect(response.status).toBe(201);
});
