// Counts visits in Redis and in Postgres, speaking both protocols itself.
import {createHash, createHmac, pbkdf2Sync, randomBytes} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {connect} from 'node:net';
import {hostname} from 'node:os';

const password = readFileSync(process.env.DATABASE_PASSWORD_FILE, 'utf8');

function redis(...words) {
  return new Promise((resolve, reject) => {
    const socket = connect(6379, 'cache', () =>
      socket.write(`*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`),
    );
    socket.once('data', (data) => resolve(data.toString().slice(1).trim()) || socket.end());
    socket.once('error', reject);
  });
}

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/** One query on a connection of its own; answers the first column of each row. PostgreSQL protocol 3.0 with SCRAM-SHA-256. */
function query(sql) {
  return new Promise((resolve, reject) => {
    const socket = connect(5432, process.env.DATABASE_HOST);
    const rows = [];
    const nonce = randomBytes(18).toString('base64');
    let held = Buffer.alloc(0);
    const send = (type, body) => {
      const head = Buffer.alloc(type === '' ? 4 : 5);
      head.write(type);
      head.writeUInt32BE(body.length + 4, type === '' ? 0 : 1);
      socket.write(Buffer.concat([head, body]));
    };
    const fail = (text) => {
      reject(new Error(text));
      socket.destroy();
    };
    const size = (text) => {
      const buffer = Buffer.alloc(4);
      buffer.writeUInt32BE(text.length);
      return buffer;
    };
    const authenticate = (body) => {
      const kind = body.readUInt32BE(0);
      if (kind === 10) {
        const first = `n,,n=,r=${nonce}`;
        send('p', Buffer.concat([Buffer.from('SCRAM-SHA-256\0'), size(first), Buffer.from(first)]));
      } else if (kind === 11) {
        const server = body.subarray(4).toString();
        const {r, s, i} = Object.fromEntries(server.split(',').map((part) => [part[0], part.slice(2)]));
        const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
        const key = hmac(salted, 'Client Key');
        const last = `c=biws,r=${r}`;
        const signature = hmac(createHash('sha256').update(key).digest(), `n=,r=${nonce},${server},${last}`);
        const proof = key.map((byte, index) => byte ^ signature[index]);
        send('p', Buffer.from(`${last},p=${Buffer.from(proof).toString('base64')}`));
      }
    };
    let asked = false;
    socket.on('connect', () =>
      send('', Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from('user\0postgres\0database\0postgres\0\0')])),
    );
    socket.on('error', reject);
    socket.on('data', (data) => {
      held = Buffer.concat([held, data]);
      while (held.length >= 5 && held.length >= held.readUInt32BE(1) + 1) {
        const [type, body] = [String.fromCharCode(held[0]), held.subarray(5, held.readUInt32BE(1) + 1)];
        held = held.subarray(held.readUInt32BE(1) + 1);
        if (type === 'R') authenticate(body);
        else if (type === 'E') return fail(body.toString().replaceAll('\0', ' '));
        else if (type === 'D') rows.push(body.subarray(6, 6 + body.readInt32BE(2)).toString());
        else if (type === 'Z' && asked) {
          resolve(rows);
          socket.end();
        } else if (type === 'Z') {
          asked = true;
          send('Q', Buffer.from(`${sql}\0`));
        }
      }
    });
  });
}

await query('create table if not exists visits (at timestamptz default now())').catch(() => {});

createServer(async (request, response) => {
  try {
    if (request.url === '/ready') return response.end(JSON.stringify(await query('select 1')));
    const visits = Number(await redis('INCR', 'visits'));
    await query('insert into visits default values');
    const [stored] = await query('select count(*) from visits');
    response.end(JSON.stringify({host: hostname(), visits, stored: Number(stored)}));
  } catch (error) {
    response.writeHead(500).end(error.message);
  }
}).listen(3000);

process.on('SIGTERM', () => process.exit(0));
