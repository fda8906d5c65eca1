import {watch} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {createServer, type ServerResponse} from 'node:http';
import {extname, join, normalize} from 'node:path';
import {greeting} from './greeting.ts';

const pages = new URL('../public', import.meta.url).pathname;
const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

/** Browsers that wait to be told of a change. */
const waiting = new Set<ServerResponse>();

const server = createServer(async (request, response) => {
  const {pathname} = new URL(request.url ?? '/', 'http://localhost');
  if (pathname === '/changes') {
    response.writeHead(200, {'content-type': 'text/event-stream'}).write('retry: 100\n\n');
    waiting.add(response);
    request.on('close', () => waiting.delete(response));
    return;
  }
  if (pathname === '/greeting') {
    response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(greeting(new Date())));
    return;
  }
  // What is above "/" stays out of reach: the path is made normal before it is looked up.
  const file = join(pages, normalize(pathname === '/' ? '/index.html' : pathname));
  try {
    const content = await readFile(file);
    response.writeHead(200, {'content-type': types[extname(file)] ?? 'application/octet-stream'}).end(content);
  } catch {
    response.writeHead(404).end('there is no such page\n');
  }
});

watch(pages, () => {
  for (const response of waiting) response.write('data: reload\n\n');
});
server.listen(8090, () => console.log('web listens on port 8090'));
process.on('SIGTERM', () => process.exit(0));
