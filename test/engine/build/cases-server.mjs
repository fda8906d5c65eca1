// Serves the files that some cases add from the network, on a port of its own choice that it prints:
//   node test/engine/build/cases-server.mjs
// What a case calls http://server is this one.
import {createServer} from 'node:http';
import {pathToFileURL} from 'node:url';
import {archives} from './cases/archives.mjs';

const files = {
  '/file.txt': {body: 'of the network\n'},
  '/deep/name%20blank.txt': {body: 'blank\n'},
  '/executable': {body: '#!/bin/sh\n', headers: {'content-disposition': 'attachment; filename="named.sh"'}},
  '/moved': {status: 302, headers: {location: '/file.txt'}, body: ''},
  '/': {body: 'index\n'},
  '/tree.tar.gz': {body: Buffer.from(archives.gz, 'base64')},
  '/empty': {body: ''},
  '/dated': {body: 'dated\n', headers: {'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT'}},
  '/broken': {status: 500, body: 'broken\n'},
};

/** Answers how to reach it, without a slash at the end. */
export async function serveCases() {
  const server = createServer(({url = '/'}, response) => {
    const {status = 200, headers = {}, body} = files[url.split('?')[0]] ?? {status: 404, body: 'none\n'};
    response.writeHead(status, headers).end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {address: `http://127.0.0.1:${server.address().port}`, close: () => server.close()};
}

const name = 'http://server';

/** A text in which the server is called by its address, and the other way round. */
export const withServer = (text, address) => text.replaceAll(name, address);
export const withoutServer = (text, address) => text.replaceAll(address, name);

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const {address} = await serveCases();
  process.stdout.write(`${address}\n`);
  // It ends with whoever started it, however many programs are between them.
  process.stdin.on('end', () => process.exit()).resume();
}
