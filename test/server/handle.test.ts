import {describe, expect, it} from 'vitest';
import {decodeFrames} from '../../src/api/framing.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import type {Engine} from '../../src/engine/engine.ts';
import {createServer} from '../../src/server/handle.ts';
import type {ServerRequest, ServerResponse} from '../../src/server/request.ts';
import {cat, fakeEngine, inspected, inspectedExec, notFound} from './fake-engine.ts';

type Parts = Parameters<typeof fakeEngine>[0];

function handle(parts: Parts, request: ServerRequest): Promise<ServerResponse> {
  return createServer(fakeEngine(parts), {version: '1.2.3'}).handle(request);
}

async function bytesOf({body}: ServerResponse): Promise<string> {
  const pieces: Uint8Array[] = [];
  if ('stream' in body) for await (const piece of body.stream) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('routing', () => {
  it.each(['/_ping', '/v1.24/_ping', '/v1.51/_ping'])('answers GET %s', async (path) => {
    const response = await handle({}, {method: 'GET', path});
    expect(response.status).toBe(200);
    expect(await bytesOf(response)).toBe('OK');
    expect(response.headers).toMatchObject({
      'api-version': '1.51',
      ostype: 'linux',
      server: 'tscompose/1.2.3 (linux)',
      'content-type': 'text/plain; charset=utf-8',
      'x-tscompose-features': 'files,sync,platforms',
    });
  });

  it.each([
    ['GET', '/v1.52/_ping', 400, 'client version 1.52 is too new. Maximum supported API version is 1.51'],
    [
      'GET',
      '/v1.9/_ping',
      400,
      'client version 1.9 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
    ],
    ['GET', '/v1.51/containers', 404, 'page not found'],
    ['DELETE', '/_ping', 404, 'page not found'],
    ['GET', '/v1.51', 404, 'page not found'],
    ['GET', '/v1.51/containers/a%00b/json', 400, 'the path of the request has a zero byte'],
  ])('%s %s is refused', async (method, path, status, message) => {
    const response = await handle({}, {method, path});
    expect(response).toMatchObject({status, body: {json: {message}}});
  });

  it('reads path, query and body of a row', async () => {
    const calls: unknown[] = [];
    const response = await handle(
      {
        containers: {
          create: async (...given) => {
            calls.push(given);
            return {Id: 'c0ffee', Warnings: []};
          },
        },
      },
      {
        method: 'POST',
        path: '/v1.43/containers/create',
        query: {name: 'web', Image: 'ignored', platform: ''},
        body: {json: {Image: 'redis'}},
      },
    );
    expect(response).toMatchObject({status: 201, body: {json: {Id: 'c0ffee', Warnings: []}}});
    expect(calls).toEqual([[{Image: 'redis'}, {name: 'web'}]]);
  });
});

describe('bodies', () => {
  const create = (text: string, contentType = 'application/json') =>
    handle(
      {containers: {create: async (body) => ({Id: JSON.stringify(body), Warnings: []})}},
      {
        method: 'POST',
        path: '/containers/create',
        body: {
          contentType,
          stream: (async function* () {
            for (const byte of Buffer.from(text)) yield Buffer.from([byte]);
          })(),
        },
      },
    );

  it('are decoded from bytes', async () => {
    expect(await create('{"Image":"ü"} \n', 'application/json; charset=utf-8')).toMatchObject({
      status: 201,
      body: {json: {Id: '{"Image":"ü"}'}},
    });
  });

  it.each([
    ['', 'application/json', 'the request has no body'],
    ['[]', 'application/json', 'the request body is not a JSON object'],
    ['{} {}', 'application/json', /^the request body is not valid JSON: /],
    ['{"a":', 'application/json', /^the request body is not valid JSON: /],
    ['{}', 'text/plain', "unsupported Content-Type header (text/plain): must be 'application/json'"],
  ])('%s as %s is refused', async (text, type, message) => {
    const response = await create(text, type);
    expect(response.status).toBe(400);
    expect(response.body).toEqual({
      json: {message: typeof message === 'string' ? message : expect.stringMatching(message)},
    });
  });
});

describe('errors', () => {
  it('travel with kind, hint and an exit code of their own', async () => {
    const error = new TscomposeError('conflict', 'cannot start "web"', {hint: 'do less', exitCode: 126});
    const start = async () => {
      throw error;
    };
    expect(await handle({containers: {start}}, {method: 'POST', path: '/containers/web/start'})).toMatchObject({
      status: 409,
      headers: {'x-tscompose-error-kind': 'conflict'},
      body: {json: {message: 'cannot start "web"', hint: 'do less', exitCode: 126}},
    });
  });

  it('have no body with status 304', async () => {
    const stop = async () => {
      throw new TscomposeError('notModified', 'it does not run');
    };
    const response = await handle({containers: {stop}}, {method: 'POST', path: '/containers/web/stop'});
    expect(response).toMatchObject({status: 304, body: {json: undefined}});
  });

  it('that are none of ours are internal', async () => {
    const response = await handle({}, {method: 'POST', path: '/containers/web/start'});
    expect(response).toMatchObject({
      status: 500,
      headers: {'x-tscompose-error-kind': 'internal'},
      body: {json: {message: 'not expected: containers.start'}},
    });
  });

  it('of paths without one are told before the engine is asked', async () => {
    for (const method of ['HEAD', 'GET', 'PUT'])
      expect(await handle({}, {method, path: '/containers/web/archive', query: {path: ''}})).toMatchObject({
        status: 400,
        body: {json: {message: 'bad parameter: path cannot be empty'}},
      });
  });

  it.each([['GET', '/containers/web/attach/ws', {stream: '1'}, 'attaching by WebSocket is not supported']])(
    '%s %s %j is refused by name',
    async (method, path, query, message) => {
      expect(await handle({}, {method, path, query: query as Record<string, string>})).toMatchObject({
        status: 501,
        body: {json: {message}},
      });
    },
  );

  it.each([
    ['GET', '/containers/json', {filters: '{"colour":["red"]}'}, "invalid filter 'colour'"],
    ['GET', '/containers/json', {limit: 'many'}, 'parameter "limit": "many" is not a whole number'],
    ['GET', '/containers/web/logs', {}, "must specify at least one of 'stdout' or 'stderr'"],
    ['POST', '/containers/web/wait', {condition: 'dead'}, 'invalid condition: "dead"'],
    ['POST', '/containers/web/resize', {h: '24'}, 'the size of a terminal needs "h" and "w", each from 0 to 65535'],
    ['POST', '/containers/web/attach', {detachKeys: 'ctrl'}, 'Invalid detach keys (ctrl) provided'],
    ['POST', '/containers/web/rename', {name: ''}, 'cannot rename container "web": the new name is empty'],
  ])('%s %s %j is invalid', async (method, path, query, message) => {
    const response = await handle({}, {method, path, query: query as Record<string, string>});
    expect(response).toMatchObject({
      status: 400,
      body: {json: {message: typeof message === 'string' ? message : expect.stringMatching(message)}},
    });
  });
});

describe('lists', () => {
  it.each([
    [{}, {all: false}],
    [{all: '1'}, {all: true}],
    [{limit: '2'}, {all: true, limit: 2}],
    [
      {limit: '0', filters: '{"label":{"a=b":true}}'},
      {all: false, filters: {label: ['a=b']}},
    ],
  ])('%j means %j', async (query, expected) => {
    const given: unknown[] = [];
    const list = async (options?: unknown) => {
      given.push(options);
      return [];
    };
    const response = await handle({containers: {list}}, {method: 'GET', path: '/containers/json', query});
    expect(response).toMatchObject({status: 200, body: {json: []}});
    expect(given).toEqual([expected]);
  });
});

describe('progress', () => {
  const load = (lines: () => AsyncGenerator<{status: string}>) =>
    handle({images: {load: lines}}, {method: 'POST', path: '/images/load'});

  it('fails with a status before its first line', async () => {
    const response = await load(async function* () {
      yield* [];
      throw new TscomposeError('invalid', 'not an archive of images');
    });
    expect(response).toMatchObject({status: 400, body: {json: {message: 'not an archive of images'}}});
  });

  it('fails in-band after its first line', async () => {
    const response = await load(async function* () {
      yield {status: 'one'};
      throw new TscomposeError('exhausted', 'no space left', {hint: 'remove images'});
    });
    expect(response.status).toBe(200);
    const lines = (await bytesOf(response))
      .trim()
      .split('\r\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      {status: 'one'},
      {error: 'no space left', errorDetail: {message: 'no space left', kind: 'exhausted', hint: 'remove images'}},
    ]);
  });

  it('lets go of its source when nobody reads on', async () => {
    let released = false;
    const response = await load(async function* () {
      try {
        for (;;) yield {status: 'again'};
      } finally {
        released = true;
      }
    });
    if (!('stream' in response.body)) throw new Error('no stream');
    for await (const _ of response.body.stream) break;
    expect(released).toBe(true);
  });

  it('of events is answered once it is subscribed', async () => {
    let subscribe = () => {};
    let answered = false;
    const events: Engine['system']['events'] = async function* ({onReady}) {
      await new Promise<void>((resolve) => {
        subscribe = resolve;
      });
      onReady?.();
      await new Promise(() => {});
      yield* [];
    };
    const response = handle({system: {events}}, {method: 'GET', path: '/events'}).then((response) => {
      answered = true;
      return response;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(answered).toBe(false);
    subscribe();
    expect((await response).status).toBe(200);
  });

  it('of events fails with a status where it cannot be subscribed', async () => {
    const events = async function* () {
      yield* [];
      throw new TscomposeError('unavailable', 'the journal is gone');
    };
    expect(await handle({system: {events}}, {method: 'GET', path: '/events'})).toMatchObject({status: 503});
  });
});

describe('wait', () => {
  it('answers its headers before the value is known', async () => {
    let exit = (_: {StatusCode: number}) => {};
    const response = await handle(
      {
        containers: {
          inspect: async () => inspected(),
          wait: (_reference, _condition, _signal, onReady) => {
            setTimeout(() => onReady?.(), 20);
            return new Promise((resolve) => {
              exit = resolve;
            });
          },
        },
      },
      {method: 'POST', path: '/containers/web/wait', query: {condition: 'next-exit'}},
    );
    expect(response.status).toBe(200);
    if (!('later' in response.body)) throw new Error('the value is there already');
    exit({StatusCode: 3});
    expect(await response.body.later).toEqual({StatusCode: 3});
  });

  it('is an error for a container that is not there', async () => {
    const fail = async () => {
      throw notFound('web');
    };
    const response = await handle({containers: {wait: fail}}, {method: 'POST', path: '/containers/web/wait'});
    expect(response).toMatchObject({status: 404, body: {json: {message: 'no such container: web'}}});
  });
});

describe('logs', () => {
  const log = (tty: boolean, query: Record<string, string>) => {
    const given: unknown[] = [];
    const response = handle(
      {
        containers: {
          inspect: async () => inspected({Tty: tty}),
          logs: async function* (_reference, options) {
            given.push(options);
            yield [
              {stream: 'stdout', data: Buffer.from('a\n'), time: '2026-01-02T03:04:05.5Z'},
              {stream: 'stderr', data: Buffer.from('b\n'), time: '2026-01-02T03:04:06Z'},
            ];
          },
        },
      },
      {method: 'GET', path: '/containers/web/logs', query: {stdout: '1', ...query}},
    );
    return {response, given};
  };

  it('are frames', async () => {
    const {response, given} = log(false, {stderr: '1', tail: '-1', since: '0', until: '12.5', follow: 'true'});
    const {headers, body} = await response;
    expect(headers['content-type']).toBe('application/vnd.docker.multiplexed-stream');
    if (!('stream' in body)) throw new Error('no stream');
    const frames: string[] = [];
    for await (const {stream, data} of decodeFrames(body.stream))
      frames.push(`${stream} ${Buffer.from(data).toString()}`);
    expect(frames).toEqual(['stdout a\n', 'stderr b\n']);
    expect(given).toEqual([{stdout: true, stderr: true, follow: true, until: 12.5}]);
  });

  it('of a terminal are bytes', async () => {
    const {response} = log(true, {timestamps: '1', tail: '5'});
    expect((await response).headers['content-type']).toBe('application/vnd.docker.raw-stream');
    expect(await bytesOf(await response)).toBe('2026-01-02T03:04:05.500000000Z a\n2026-01-02T03:04:06.000000000Z b\n');
  });
});

describe('attach', () => {
  it('asks the engine for what the query says, and for keys that let go of it', async () => {
    const given: unknown[] = [];
    const response = await handle(
      {
        containers: {
          inspect: async () => inspected({Tty: true}),
          attach: async (_reference, options) => {
            given.push(options);
            const none = async () => {};
            return {
              output: (async function* () {
                yield {stream: 'stdout' as const, data: Buffer.from('old')};
              })(),
              write: none,
              closeInput: none,
              resize: none,
              detach: () => {},
            };
          },
        },
      },
      {method: 'POST', path: '/containers/web/attach', query: {logs: '1', stdout: '1', detachKeys: 'ctrl-a'}},
    );
    expect(await bytesOf(response)).toBe('old');
    const streams = {stdin: false, stdout: true, stderr: false};
    expect(given).toEqual([{...streams, logs: true, stream: false, detachKeys: Uint8Array.of(1)}]);
  });
});

describe('exec start', () => {
  it.each([126, 127])('tells in the stream that a command cannot be executed: %d', async (exitCode) => {
    const start = async () => {
      throw new TscomposeError('notFound', 'execute "x": no such file', {exitCode});
    };
    const parts = {execs: {inspect: async () => inspectedExec(true), start}};
    const response = await handle(parts, {method: 'POST', path: '/exec/e1/start'});
    expect(response.status).toBe(200);
    expect(await bytesOf(response)).toBe('execute "x": no such file\r\n');
    const detached = {method: 'POST', path: '/exec/e1/start', body: {json: {Detach: true}}};
    expect(await handle(parts, detached)).toMatchObject({status: 404, body: {json: {exitCode}}});
  });

  const execs = (process: ReturnType<typeof cat> | undefined) => ({
    inspect: async () => inspectedExec(),
    start: async () => process,
  });

  it('without an upgrade answers the output', async () => {
    const process = cat('hello');
    const server = createServer(fakeEngine({execs: execs(process)}), {version: '1'});
    const response = await server.handle({method: 'POST', path: '/exec/e1/start'});
    expect(response.headers['content-type']).toBe('application/vnd.docker.multiplexed-stream');
    await process.closeInput();
    expect(await bytesOf(response)).toBe('\x01\0\0\0\0\0\0\x05hello\x02\0\0\0\0\0\0\x03bye');
    expect(process.detached).toBe(true);
  });

  it('detached answers nothing, upgrade or not', async () => {
    const server = createServer(fakeEngine({execs: execs(undefined)}), {version: '1'});
    const request = {method: 'POST', path: '/exec/e1/start', body: {json: {Detach: true}}};
    expect(await server.handle(request)).toMatchObject({status: 200, body: {json: undefined}});
    expect(await server.upgrade(request)).toMatchObject({response: {status: 200, body: {json: undefined}}});
  });
});
