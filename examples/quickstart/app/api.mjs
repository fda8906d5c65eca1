import {createServer} from 'node:http';

const {STORE} = process.env;

createServer(async (request, response) => {
  try {
    if (request.method === 'POST') {
      let body = '';
      for await (const chunk of request) body += chunk;
      const {name = '', text = ''} = JSON.parse(body);
      if (name.trim() === '' || text.trim() === '' || body.length > 2000)
        return response.writeHead(422).end('a name and a few words, please\n');
      await fetch(STORE, {
        method: 'POST',
        body: JSON.stringify({name: name.trim(), text: text.trim(), at: new Date().toISOString()}),
      });
      return response.writeHead(201).end();
    }
    response.writeHead(200, {'content-type': 'application/json'}).end(await (await fetch(STORE)).text());
  } catch (error) {
    console.error('the store does not answer:', error.message);
    response.writeHead(502).end('the store does not answer\n');
  }
}).listen(3000, () => console.log('api listens on port 3000'));

process.on('SIGTERM', () => process.exit(0));
