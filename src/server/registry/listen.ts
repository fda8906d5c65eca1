import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import {createServer as createHttpsServer, Server as HttpsServer} from 'node:https';
import type {Socket} from 'node:net';
import {setTimeout as delay} from 'node:timers/promises';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import {drained} from '../drained.ts';
import {accessLine} from './access-line.ts';
import type {RegistryRequest, RegistryResponse} from './message.ts';
import type {Registry} from './registry.ts';
import {requestBody} from './request-body.ts';

/** PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface RegistryListenOptions {
  readonly host: string;
  readonly port: number;
  /** Undefined: without TLS. */
  readonly tls: Certificate | undefined;
  readonly now: () => number;
  /** A line for each request. */
  readonly log: (line: string) => void;
  /** A client that neither sends nor takes anything for so long is given up; milliseconds. */
  readonly idleMs: number;
  readonly connectionsMax: number;
}

export interface RegistryListener {
  readonly port: number;
  /** New connections get this certificate. Throws `invalid` for one that is none: then the old one stays. */
  renew(certificate: Certificate): void;
  /** Takes no more requests, and waits so long for those under way. Milliseconds. */
  close(waitMs: number): Promise<void>;
}

const tlsLimits = {minVersion: 'TLSv1.2'} as const;
const headMax = 16 * 1024;
/** For the head of a request, and for the next one of a connection; milliseconds. */
const headMs = 30_000;
/** Of a body that nobody wants: a client that is still sending reads its answer only then. */
const unwanted = {bytes: 16 * 1024 * 1024, ms: 5_000} as const;

/** Serves a registry. Throws `conflict` where something else listens there, `invalid` for a certificate that is none. */
export async function listenRegistry(registry: Registry, options: RegistryListenOptions): Promise<RegistryListener> {
  const underWay = new Set<Promise<void>>();
  const open = new Set<Socket>();
  let isClosing = false;
  const answer = (message: IncomingMessage, outgoing: ServerResponse, expectsContinue: boolean) => {
    if (isClosing) outgoing.shouldKeepAlive = false;
    const done = respond(registry, options, {message, outgoing, expectsContinue}).catch(() => void outgoing.destroy());
    underWay.add(done);
    void done.finally(() => underWay.delete(done));
  };
  const settings: ServerOptions = {
    ...{maxHeaderSize: headMax, headersTimeout: headMs, keepAliveTimeout: headMs, connectionsCheckingInterval: 5_000},
    // An upload may take as long as it goes on.
    requestTimeout: 0,
  };
  const server = createFor(options, settings);
  server.maxConnections = options.connectionsMax;
  server.on('request', (message, outgoing) => answer(message, outgoing, false));
  server.on('checkContinue', (message, outgoing) => answer(message, outgoing, true));
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, options)));
    server.listen({host: options.host, port: options.port}, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    renew(certificate) {
      if (!(server instanceof HttpsServer)) throw new TscomposeError('internal', 'there is no TLS');
      withUsable(() => server.setSecureContext({...certificate, ...tlsLimits}));
    },
    async close(waitMs) {
      isClosing = true;
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      server.closeIdleConnections();
      const gaveUp = new AbortController();
      await Promise.race([
        Promise.allSettled([...underWay]),
        delay(waitMs, undefined, {signal: gaveUp.signal}).catch(() => undefined),
      ]);
      gaveUp.abort();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

function createFor({tls}: RegistryListenOptions, settings: ServerOptions) {
  if (tls === undefined) return createHttpServer(settings);
  return withUsable(() => createHttpsServer({...settings, ...tls, ...tlsLimits}));
}

function withUsable<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw new TscomposeError('invalid', `the certificate and its key cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

interface Exchange {
  readonly message: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly expectsContinue: boolean;
}

async function respond(
  registry: Registry,
  options: RegistryListenOptions,
  {message, outgoing, expectsContinue}: Exchange,
): Promise<void> {
  const began = options.now();
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  message.on('error', () => {});
  outgoing.on('error', () => {});
  message.socket.setTimeout(0);
  const body = requestBody(message, {
    idleMs: options.idleMs,
    ...(expectsContinue ? {onFirstRead: () => outgoing.writeContinue()} : {}),
  });
  const request = requestOf(message, {body, signal: gone.signal, isSecure: options.tls !== undefined});
  const answered = await registry.handle(request);
  const sent = await send(answered.response, {message, outgoing, idleMs: options.idleMs});
  options.log(accessLine({began, now: options.now(), request, answered, sent}));
  if (!message.complete) await discardRest(message);
}

function requestOf(
  message: IncomingMessage,
  rest: Pick<RegistryRequest, 'body' | 'signal' | 'isSecure'>,
): RegistryRequest {
  const url = message.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {
    method: message.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers,
    remote: message.socket.remoteAddress ?? '',
    ...rest,
  };
}

/** Answers the bytes of the body that went out. A stream that fails breaks the connection off: nobody takes it for whole. */
async function send(
  {status, headers, body}: RegistryResponse,
  {message, outgoing, idleMs}: Omit<Exchange, 'expectsContinue'> & {readonly idleMs: number},
): Promise<number> {
  // What is left of a request would be taken for the next one.
  if (!message.complete) outgoing.shouldKeepAlive = false;
  const length = body instanceof Uint8Array ? {'content-length': String(body.length)} : {};
  message.socket.setTimeout(idleMs);
  outgoing.writeHead(status, {...length, ...headers} as Record<string, string | string[]>);
  let sent = 0;
  if (body === undefined || body instanceof Uint8Array || message.method === 'HEAD') {
    outgoing.end(message.method === 'HEAD' ? undefined : body);
    sent = body instanceof Uint8Array && message.method !== 'HEAD' ? body.length : 0;
  } else {
    for await (const piece of body) {
      if (outgoing.destroyed) break;
      sent += piece.length;
      if (!outgoing.write(piece)) await drained(outgoing);
    }
    outgoing.end();
  }
  await finished(outgoing);
  return sent;
}

function finished(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.writableFinished || outgoing.destroyed) return resolve();
    outgoing.once('finish', resolve);
    outgoing.once('close', resolve);
  });
}

/** A client that is cut off while it sends may lose the answer: a little is read on, and thrown away. */
async function discardRest(message: IncomingMessage): Promise<void> {
  let size = 0;
  const {socket} = message;
  const timer = setTimeout(() => socket.destroy(), unwanted.ms);
  message.on('data', (piece: Buffer) => {
    size += piece.length;
    if (size > unwanted.bytes) socket.destroy();
  });
  message.resume();
  await new Promise<void>((resolve) => {
    message.once('end', resolve);
    message.once('close', resolve);
  });
  clearTimeout(timer);
}

function explain(error: NodeJS.ErrnoException, {host, port}: RegistryListenOptions): TscomposeError {
  const what = `cannot listen at ${host}:${port}`;
  if (error.code !== 'EADDRINUSE') return toTscomposeError(error, what);
  return new TscomposeError('conflict', `${what}: something else listens there`, {cause: error});
}
