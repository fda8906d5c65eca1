import {randomUUID} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {hashSync} from 'bcryptjs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {method, unary} from '../../src/server/buildkit/grpc-server.ts';
import type {Message} from '../../src/server/buildkit/messages.ts';
import {fileSync} from '../server/buildkit/client.ts';
import {type BridgeBuild, beginBridgeBuild} from '../support/bridge-build.ts';
import {openBuildkitClient} from '../support/buildkit-client.ts';
import {eventually, type TestHost} from '../support/host.ts';
import {endRegistry, serveRegistry} from '../support/own-registry.ts';
import {endServedHost, makeServedHost} from '../support/served-host.ts';
import type {LongCommand} from '../support/watching.ts';

/** Builds that a client asks for over the bridge, as buildx and bake do: several at a time, one upon another. */
let host: TestHost;
let served: LongCommand;

beforeAll(async () => {
  ({host, served} = await makeServedHost());
});

afterAll(() => endServedHost({host, served}));

const dockerfiles: Readonly<Record<string, string>> = {
  base: 'FROM busybox\nRUN cat /proc/sys/kernel/random/uuid >/made\nENV OF=base\n',
  upon: 'FROM base\nCOPY --from=base /made /again\nRUN cmp /made /again && test "$OF" = base\n',
};

let received = '';
const receiving = method(
  '/moby.filesync.v1.FileSend/DiffCopy',
  'BytesMessage',
  'BytesMessage',
  (pieces, {headers}) => ({
    async *[Symbol.asyncIterator]() {
      expect(headers['buildkit-attachable-exporter-id']).toBe('1');
      for await (const {data} of pieces) received += Buffer.from(data).toString('latin1');
      yield* [];
    },
  }),
);

const logins = unary(
  '/moby.filesync.v1.Auth/Credentials',
  'CredentialsRequest',
  'CredentialsResponse',
  async function* ({host: registry}) {
    yield registry === 'localhost:5000' ? {username: 'ada', secret: 'lovelace'} : {};
  },
);

async function openClient() {
  const session = randomUUID();
  const files = fileSync((name) => {
    const content = dockerfiles[name] ?? '';
    return [{stat: {path: 'Dockerfile', mode: 0o644, size: content.length}, content}];
  });
  const client = await openBuildkitClient(join(host.run, 'engine.sock'), session, [files, receiving, logins]);
  return {client, session};
}

const options = (dockerfile: string) => ({contextkey: 'context', dockerfilekey: dockerfile});

function refOf({result}: Message<'BridgeSolveResponse'>): Message<'Ref'> {
  if (result?.ref == null) throw new Error('there is no result');
  return result.ref;
}

const imageIds = async () => (await host.tscompose(['engine', 'images', '-aq', '--no-trunc'])).stdout.split('\n');

describe('a build over the bridge', () => {
  it.each([
    ['an image', [{type: 'moby', attrs: {name: 'tsc-base'}}]],
    ['no output', []],
  ])('of %s is built upon by another one of the same client', async (_, exporters) => {
    const {client, session} = await openClient();
    await using _client = client;
    const base = beginBridgeBuild(client, session, exporters);
    const {id, definition} = refOf(await base.solve({frontendOpt: {...options('base'), 'no-cache': ''}}));
    await base.evaluate(id);
    await expect(base.evaluate('another')).rejects.toThrow('no such result');
    if (definition == null) throw new Error('there is no graph');
    const build = (upon: BridgeBuild) =>
      upon.solve({
        frontendOpt: {...options('upon'), 'context:base': 'input:base'},
        frontendInputs: {base: definition},
      });
    const upon = beginBridgeBuild(client, session, [{type: 'moby', attrs: {name: 'tsc-upon'}}]);
    const built = refOf(await build(upon));
    const {'containerimage.digest': image = 'none'} = await upon.finish(built.id);
    expect(await imageIds()).toContain(image);
    await base.finish(id);
    const late = beginBridgeBuild(client, session, []);
    await expect(build(late)).rejects.toThrow('the build that "base" is to be of is over');
  });

  it('upon a graph that the client made itself is refused, and so is an input that does not come', async () => {
    const {client, session} = await openClient();
    await using _client = client;
    const frontendOpt = {...options('upon'), 'context:base': 'input:base'};
    const graph = {base: {def: [], metadata: {}}};
    const asked = () => beginBridgeBuild(client, session, []);
    await expect(asked().solve({frontendOpt, frontendInputs: graph})).rejects.toThrow('a graph of the client');
    await expect(asked().solve({frontendOpt})).rejects.toThrow('the input "base" did not come');
  });

  it('comes to an image and to files at once', async () => {
    const {client, session} = await openClient();
    await using _client = client;
    const both = beginBridgeBuild(client, session, [
      {type: 'moby', attrs: {name: 'tsc-both'}},
      {type: 'tar', attrs: {}},
    ]);
    const {id} = refOf(await both.solve({frontendOpt: options('base')}));
    const told = await both.finish(id);
    expect(told['image.name']).toBe('docker.io/library/tsc-both');
    expect(await imageIds()).toContain(told['containerimage.digest']);
    expect(received).toContain('made');
  });

  it('is pushed with the login that the client has', async () => {
    const {client, session} = await openClient();
    await using _client = client;
    writeFileSync(join(host.directory, 'users'), `ada:${hashSync('lovelace', 5)}\n`);
    const registry = await serveRegistry(host, ['--listen', '127.0.0.1:5000', '--htpasswd', 'users', '--no-local']);
    const pushed = beginBridgeBuild(client, session, [
      {type: 'image', attrs: {name: 'localhost:5000/team/pushed:1', push: 'true'}},
    ]);
    const {id} = refOf(await pushed.solve({frontendOpt: options('base')}));
    expect((await pushed.finish(id))['image.name']).toBe('localhost:5000/team/pushed:1');
    await eventually(() => expect(registry.stdout()).toMatch(/ ada "PUT \/v2\/team\/pushed\/manifests\/1" 201 /));
    const other = beginBridgeBuild(client, session, [{type: 'image', attrs: {name: 'localhost:5000/a', unpack: '1'}}]);
    await expect(other.solve({frontendOpt: options('base')})).rejects.toThrow('"unpack" is not supported');
    await endRegistry(registry);
  });
});
