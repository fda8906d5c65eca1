import {appendFileSync, existsSync, readFileSync} from 'node:fs';
import {createServer} from 'node:http';

const file = '/data/entries.ndjson';

createServer(async (request, response) => {
  if (request.method === 'POST') {
    let entry = '';
    for await (const chunk of request) entry += chunk;
    appendFileSync(file, `${entry}\n`);
    return response.writeHead(204).end();
  }
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  response.writeHead(200, {'content-type': 'application/json'}).end(`[${lines.filter(Boolean).join(',')}]`);
}).listen(4000, () => console.log('store listens on port 4000'));

process.on('SIGTERM', () => process.exit(0));
