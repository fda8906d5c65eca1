import {isIP} from 'node:net';
import {join} from 'node:path';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {type EngineAddress, formatAddress, parseHost} from '../../client/host.ts';
import {createEngine, runDirectory} from '../../engine/create-engine.ts';
import {createServer, type Server} from '../../server/handle.ts';
import {type ListenAddress, type Listener, listen} from '../../server/listen.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {engineOptions} from '../open-engine.ts';

export async function runEngineServe(context: CliContext, {flags}: Input<'engine serve'>): Promise<number> {
  if (context.global.host !== undefined) {
    throw wrongUse(
      '--host before "engine serve" names an engine to use, and this serves the built-in one',
      `write: tscompose engine serve --host ${context.global.host}`,
    );
  }
  const options = engineOptions(context);
  const hosts = flags.host.length > 0 ? flags.host : [`unix://${join(runDirectory(options), 'engine.sock')}`];
  const addresses = hosts.map((host) => listenable(host));
  const engine = await createEngine(options);
  try {
    return await serve(context, createServer(engine, {version: context.version}), addresses);
  } finally {
    await engine.close();
  }
}

/** Until the first signal to end. Containers go on. */
async function serve(context: CliContext, server: Server, addresses: readonly EngineAddress[]): Promise<number> {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  using _interrupt = context.onInterrupt(() => end());
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) {
      listeners.push(await listen(server, listenAddress(address)));
      context.stdout.write(`listening at ${formatAddress(address)}\n`);
    }
    await ended;
    return 0;
  } finally {
    await Promise.all(listeners.map((listener) => listener.close()));
  }
}

function listenAddress(address: EngineAddress): ListenAddress {
  return address.kind === 'unix' ? {socketPath: address.socketPath} : {host: address.host, port: address.port};
}

/** Whoever reaches the engine has the machine, and TCP asks nobody who they are: only the machine itself may connect. */
function listenable(host: string): EngineAddress {
  const address = parseHost(host);
  if (address.kind === 'unix' || isLoopback(address.host)) return address;
  throw new TscomposeError(
    'unsupported',
    `cannot listen at ${host}: without TLS whoever reaches it would have this machine`,
    {hint: 'listen on a unix socket and forward it by ssh, or at 127.0.0.1'},
  );
}

function isLoopback(host: string): boolean {
  return host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function wrongUse(message: string, hint: string): TscomposeError {
  return new TscomposeError('invalid', message, {exitCode: exitCodes.usage, hint});
}
