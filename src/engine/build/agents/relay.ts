import type {Server} from 'node:net';
import type {Duplex} from 'node:stream';

/** Clients of one agent at a time: a step that opens more takes none of this process's descriptors. */
const clientsMost = 64;

/** Hands over what a client and its agent say to each other, until one of them is gone. */
export function relay(client: Duplex, agent: Duplex): void {
  client.pipe(agent);
  agent.pipe(client);
  client.on('error', () => agent.destroy());
  agent.on('error', () => client.destroy());
  // Also where it goes without a word: whoever asks the agent would wait.
  agent.on('close', () => client.end());
  // What it has not read yet is read by nobody.
  client.on('close', () => agent.destroy());
}

/** A server whose clients are not to be trusted. */
export function limitClients(server: Server): void {
  server.maxConnections = clientsMost;
  // One that cannot be accepted is no reason for the build to end.
  server.on('error', () => undefined);
}
