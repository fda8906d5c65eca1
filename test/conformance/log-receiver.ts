import {mkdtempSync, rmSync} from 'node:fs';
import {createServer, type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** A receiver of syslog messages at a stream socket, which can stop reading, hang up and vanish. */
export class LogReceiver implements AsyncDisposable {
  readonly connections: Socket[] = [];
  text = '';
  /** New connections are not read from. */
  hangs = false;
  private readonly directory = mkdtempSync(join(tmpdir(), 'tscompose-receiver-'));
  private server: Server | undefined;
  private port = 0;

  readonly path = join(this.directory, 'log.sock');

  async listen(where: 'path' | 'port' = 'path'): Promise<void> {
    const server = createServer((socket) => {
      this.connections.push(socket);
      socket.on('error', () => undefined);
      if (this.hangs) socket.pause();
      else socket.on('data', (data: Buffer) => this.take(data));
    });
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (where === 'path') server.listen(this.path, resolve);
      else server.listen(this.port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (typeof address === 'object' && address !== null) this.port = address.port;
  }

  /** As `syslog-address` names it. */
  get address(): string {
    return this.port === 0 ? `unix://${this.path}` : `tcp://127.0.0.1:${this.port}`;
  }

  get messages(): readonly string[] {
    return this.text.split('\n').slice(0, -1);
  }

  /** From now on everything is read. */
  resume(): void {
    this.hangs = false;
    for (const socket of this.connections) socket.on('data', (data: Buffer) => this.take(data)).resume();
  }

  /** Nobody is there any more, until it listens again. */
  async vanish(): Promise<void> {
    const closed = new Promise((resolve) => this.server?.close(resolve) ?? resolve(undefined));
    for (const socket of this.connections.splice(0)) socket.destroy();
    await closed;
    this.server = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server) await this.vanish();
    rmSync(this.directory, {recursive: true, force: true});
  }

  private take(data: Buffer): void {
    this.text += data.toString();
  }
}
