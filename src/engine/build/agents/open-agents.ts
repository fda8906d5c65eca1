import {stat} from 'node:fs/promises';
import {createServer, type Server} from 'node:net';
import {join} from 'node:path';
import type {BuildAgent} from '../../../api/types/build.ts';
import {TscomposeError} from '../../../base/errors.ts';
import {readRegularFile} from '../../../base/regular-file.ts';
import type {BuildContext} from '../context.ts';
import {openRunDirectory} from '../run-directory.ts';
import {serveKeys} from './key-agent.ts';
import {type AgentKey, readPrivateKey} from './private-key.ts';

/** Bytes that the file of a key may have. */
const keyMost = 64 * 1024;

export interface Agents extends AsyncDisposable {
  /** Each by a socket. */
  readonly agents: readonly BuildAgent[];
}

/**
 * Serves keys that are in files, each list of them by an agent of the build's own until that is over. Throws `notFound` for what
 * is not there, `invalid` for what is no key.
 */
export async function openAgents(context: BuildContext, stated: readonly BuildAgent[]): Promise<Agents> {
  const read = await Promise.all(stated.map(async (agent) => ({agent, keys: await keysOf(agent)})));
  if (read.every(({keys}) => keys === undefined)) return {agents: stated, [Symbol.asyncDispose]: async () => undefined};
  const directory = await openRunDirectory(context);
  const servers: Server[] = [];
  const close = async (): Promise<void> => {
    for (const server of servers) server.close();
    await directory[Symbol.asyncDispose]();
  };
  try {
    const agents: BuildAgent[] = [];
    for (const [index, {agent, keys}] of read.entries()) {
      const socket = keys === undefined ? agent.socket : join(directory.path, `${index}.sock`);
      if (keys !== undefined) servers.push(await listen(socket, keys));
      agents.push({id: agent.id, socket});
    }
    return {agents, [Symbol.asyncDispose]: close};
  } catch (error) {
    await close();
    throw error;
  }
}

/** Undefined: it is an agent that runs. */
async function keysOf({id, socket, keys = []}: BuildAgent): Promise<readonly AgentKey[] | undefined> {
  const status = await stat(socket).catch((cause: unknown) => {
    throw new TscomposeError('notFound', `ssh agent "${id}": there is no ${socket}`, {cause});
  });
  if (status.isSocket() && keys.length === 0) return undefined;
  return [socket, ...keys].map((path) => {
    const shown = `ssh agent "${id}": ${path}`;
    return readPrivateKey(readRegularFile(path, {shown, most: keyMost}).toString('utf8'), shown);
  });
}

async function listen(path: string, keys: readonly AgentKey[]): Promise<Server> {
  const server = createServer((client) => serveKeys(client, keys));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  return server;
}
