import {createServer} from 'node:http';
import {hostname} from 'node:os';

const {API, TITLE} = process.env;
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

function page(entries) {
  const list = entries
    .map(({name, text, at}) => `<li><b>${escaped(name)}</b> ${escaped(text)} <small>${at}</small></li>`)
    .join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(TITLE)}</title>
<style>body{font:16px/1.5 sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}small{color:#777}input{font:inherit}</style>
<h1>${escaped(TITLE)}</h1>
<form method="post"><input name="name" placeholder="Your name" required> <input name="text" placeholder="A few words" required> <button>Sign</button></form>
<ol>${list}</ol><p><small>${entries.length} entries, served by ${hostname()}</small></p></html>`;
}

createServer(async (request, response) => {
  try {
    if (request.method === 'POST') {
      let form = '';
      for await (const chunk of request) form += chunk;
      const answer = await fetch(`${API}/entries`, {
        method: 'POST',
        body: JSON.stringify(Object.fromEntries(new URLSearchParams(form))),
      });
      if (!answer.ok) return response.writeHead(answer.status).end(await answer.text());
      console.log('signed');
      return response.writeHead(303, {location: '/'}).end();
    }
    const entries = await (await fetch(`${API}/entries`)).json();
    response.writeHead(200, {'content-type': 'text/html; charset=utf-8'}).end(page(entries));
  } catch (error) {
    console.error('the api does not answer:', error.message);
    response.writeHead(502).end('the api does not answer\n');
  }
}).listen(8080, () => console.log('web listens on port 8080'));

process.on('SIGTERM', () => process.exit(0));
