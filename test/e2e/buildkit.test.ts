import {randomUUID} from 'node:crypto';
import {existsSync, readdirSync} from 'node:fs';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pack} from 'tar-stream';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {TscomposeError} from '../../src/base/errors.ts';
import {type Method, method, unary} from '../../src/server/buildkit/grpc-server.ts';
import type {MessageInput} from '../../src/server/buildkit/messages.ts';
import {type ClientFile, fileSync} from '../server/buildkit/client.ts';
import {openBuildkitClient} from '../support/buildkit-client.ts';
import {eventually, type TestHost} from '../support/host.ts';
import {endServedHost, makeServedHost} from '../support/served-host.ts';
import type {LongCommand} from '../support/watching.ts';

/** A client of BuildKit's protocol against `engine serve`: what the docker command line and Compose build with. */
let host: TestHost;
let served: LongCommand;

beforeAll(async () => {
  ({host, served} = await makeServedHost());
});

afterAll(() => endServedHost({host, served}));

const text = (path: string, content: string, more: MessageInput<'Stat'> = {}): ClientFile => ({
  stat: {path, mode: 0o644, size: Buffer.byteLength(content), ...more},
  content,
});

const secrets = unary(
  '/moby.buildkit.secrets.v1.Secrets/GetSecret',
  'GetSecretRequest',
  'GetSecretResponse',
  async function* ({id}) {
    if (id !== 'token') throw new TscomposeError('notFound', `secret ${id} not found`);
    yield {data: Buffer.from('s3cret')};
  },
);

interface Building {
  readonly dockerfile: string;
  readonly context?: readonly ClientFile[];
  readonly options?: Readonly<Record<string, string>>;
  readonly exporter?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly more?: readonly (readonly [string, Method])[];
  /** Given each title of a step as it begins. */
  readonly onStep?: (title: string, stop: () => void) => void;
}

async function build({dockerfile, context = [], options = {}, attributes = {}, more = [], onStep, ...rest}: Building) {
  const exporter = 'exporter' in rest ? rest.exporter : 'moby';
  const [session, ref] = [randomUUID(), randomUUID()];
  const directories: Readonly<Record<string, readonly ClientFile[]>> = {
    dockerfile: [text('Dockerfile', dockerfile)],
    context,
    other: [text('from-other', 'other\n')],
  };
  const methods = [fileSync((name) => directories[name] ?? []), secrets, ...more];
  await using client = await openBuildkitClient(join(host.run, 'engine.sock'), session, methods);
  const {caller} = client;
  const titles: string[] = [];
  let output = '';
  const status = caller.open('/moby.buildkit.v1.Control/Status', {request: 'StatusRequest', answer: 'StatusResponse'});
  await status.send({ref});
  const told = (async () => {
    for await (const {vertexes, logs} of status.answers) {
      for (const {name, completed} of vertexes) {
        if (completed == null) onStep?.(name, () => caller.close());
        else titles.push(name);
      }
      output += logs.map(({msg}) => Buffer.from(msg).toString()).join('');
    }
  })();
  told.catch(() => {});
  const types = {request: 'SolveRequest', answer: 'SolveResponse'} as const;
  const {exporterResponse} = await caller.call('/moby.buildkit.v1.Control/Solve', types, {
    ...{ref, session, frontend: 'dockerfile.v0', frontendAttrs: options},
    exporters: exporter === undefined ? [] : [{type: exporter, attrs: attributes}],
  });
  await told;
  return {response: exporterResponse, titles, output};
}

async function archiveOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) archive.entry({name}, content);
  archive.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of archive) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function post(path: string, body: Buffer): Promise<{readonly status: number | undefined; readonly text: string}> {
  return new Promise((resolve, reject) => {
    const headers = {'content-type': 'application/x-tar'};
    const asked = request({socketPath: join(host.run, 'engine.sock'), path, method: 'POST', headers}, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      answer.once('end', () => resolve({status: answer.statusCode, text}));
      answer.once('error', reject);
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

describe('a client of BuildKit', () => {
  it('has an image built of its files, secrets and named contexts', async () => {
    const {response, titles, output} = await build({
      dockerfile: [
        'FROM busybox',
        'ARG WHO=nobody',
        'COPY --from=more from-other /',
        'COPY . /files/',
        'RUN --mount=type=secret,id=token --mount=type=secret,id=none cat /run/secrets/token /files/a; ls /run/secrets; echo $WHO',
      ].join('\n'),
      context: [text('.dockerignore', 'ignored\n'), text('a', 'a\n', {mode: 2 ** 23 + 0o755}), text('ignored', 'x')],
      options: {'build-arg:WHO': 'somebody', 'label:l': '1', 'context:more': 'local:other'},
      attributes: {name: 'docker.io/library/tsc-buildkit:1,docker.io/library/tsc-buildkit:2'},
    });
    expect(response['image.name']).toBe('docker.io/library/tsc-buildkit:1,docker.io/library/tsc-buildkit:2');
    expect(titles.some((title) => title.includes('RUN --mount'))).toBe(true);
    expect(output).toBe('s3creta\ntoken\nsomebody\n');
    const shown = await host.tscompose(['engine', 'image', 'inspect', 'tsc-buildkit:2']);
    expect(JSON.parse(shown.stdout)).toMatchObject([
      {Id: response['containerimage.digest'], Config: {Labels: {l: '1'}}},
    ]);
    const again = await build({
      dockerfile: 'FROM tsc-buildkit:1\nRUN ls -l /files; cat /from-other\n',
    });
    expect(again.output).toMatch(/-rwsr-xr-x .* a\nother\n$/);
    expect(again.output).not.toContain('ignored');
  });

  it('is told where a Dockerfile is wrong, and what a step said that failed', async () => {
    await expect(build({dockerfile: 'FROM busybox\nRUUN x\n'})).rejects.toThrow(/Dockerfile:2:1[\s\S]*RUUN x/);
    await expect(build({dockerfile: 'FROM busybox\nRUN exit 7\n'})).rejects.toThrow(
      /exit code: 7[\s\S]*Dockerfile:2:1/,
    );
    await expect(build({dockerfile: 'FROM busybox\nCOPY absent /\n'})).rejects.toThrow(/absent/);
    await expect(build({dockerfile: 'FROM scratch\n', options: {filename: 'Other'}})).rejects.toThrow(
      /open Other: no such file/,
    );
  });

  it('is refused by name what is not done', async () => {
    const dockerfile = 'FROM scratch\nLABEL a=b\n';
    await expect(build({dockerfile, exporter: 'oci'})).rejects.toThrow('output "oci" is not supported');
    await expect(build({dockerfile, options: {'attest:sbom': ''}})).rejects.toThrow('attestations ("attest:sbom")');
    await expect(build({dockerfile, options: {'new-thing': '1'}})).rejects.toThrow('option "new-thing"');
  });

  it('sends nothing that leaves its context', async () => {
    const outside = join(tmpdir(), `tsc-escape-${randomUUID()}`);
    const climbing = `../../../../../../../../../..${outside}`;
    await build({dockerfile: 'FROM scratch\nCOPY . /\n', context: [text(climbing, 'x')]}).catch(() => {});
    const through: readonly ClientFile[] = [
      {stat: {path: 'd', mode: 2 ** 27 + 0o777, linkname: tmpdir()}},
      text(`d/${outside.slice(tmpdir().length + 1)}`, 'x'),
    ];
    await build({dockerfile: 'FROM scratch\nCOPY . /\n', context: through}).catch(() => {});
    expect(existsSync(outside)).toBe(false);
  });

  it('gets the files that were built', async () => {
    let received = '';
    const taking = method('/moby.filesync.v1.FileSend/DiffCopy', 'BytesMessage', 'BytesMessage', (pieces) => ({
      async *[Symbol.asyncIterator]() {
        for await (const {data} of pieces) received += Buffer.from(data).toString('latin1');
        yield* [];
      },
    }));
    const dockerfile = 'FROM scratch\nCOPY a /dir/a\n';
    await build({dockerfile, context: [text('a', 'content')], exporter: 'tar', more: [taking]});
    expect(received).toContain('dir/a');
    expect(received).toContain('content');
  });

  it('has an image built of an archive that it uploads', async () => {
    const uploading = method('/moby.upload.v1.Upload/Pull', 'BytesMessage', 'BytesMessage', (_, {headers}) => ({
      async *[Symbol.asyncIterator]() {
        if (headers['urlpath'] !== '/name') throw new TscomposeError('notFound', 'no such upload');
        yield {data: await archiveOf({'sub/Other': 'FROM busybox\nCOPY a /\nRUN cat /a\n', a: 'uploaded\n'})};
      },
    }));
    const options = {context: 'http://buildkit-session/name', filename: 'sub/Other'};
    const {output} = await build({dockerfile: 'FROM scratch\n', options, more: [uploading]});
    expect(output).toBe('uploaded\n');
    const absent = build({dockerfile: '', options: {context: 'http://buildkit-session/none'}, more: [uploading]});
    await expect(absent).rejects.toThrow('no such upload');
    await expect(build({dockerfile: '', options: {context: 'git@'}})).rejects.toThrow('the context "git@"');
  });

  it('that wants no output has its steps kept, and no image made; what is kept it may list and remove', async () => {
    const before = (await host.tscompose(['engine', 'images', '-aq'])).stdout;
    const {response} = await build({dockerfile: 'FROM busybox\nRUN echo kept-alone > /a\n', exporter: undefined});
    expect(response).toEqual({});
    expect((await host.tscompose(['engine', 'images', '-aq'])).stdout).toBe(before);
    await using client = await openBuildkitClient(join(host.run, 'engine.sock'), randomUUID(), []);
    const listed = async () => {
      const types = {request: 'DiskUsageRequest', answer: 'DiskUsageResponse'} as const;
      const filter = ['description~=kept-alone'];
      return (await client.caller.call('/moby.buildkit.v1.Control/DiskUsage', types, {filter})).record;
    };
    const [kept] = await listed();
    expect(kept).toMatchObject({recordType: 'regular', inUse: false, shared: false});
    const types = {request: 'PruneRequest', answer: 'UsageRecord'} as const;
    const removed = await client.caller.call('/moby.buildkit.v1.Control/Prune', types, {filter: [`id~=^${kept?.id}`]});
    expect(removed).toEqual(kept);
    expect(await listed()).toEqual([]);
  });

  it('that sends the context by POST /build has secrets of its session asked for', async () => {
    const session = randomUUID();
    await using client = await openBuildkitClient(join(host.run, 'engine.sock'), session, [secrets]);
    void client;
    const dockerfile = 'FROM busybox\nRUN --mount=type=secret,id=token echo "of $(cat /run/secrets/token)"\n';
    const archive = await archiveOf({Dockerfile: dockerfile});
    const {status, text} = await post(`/build?version=2&session=${session}`, archive);
    expect(status).toBe(200);
    const lines = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as {id?: string; stream?: string; aux?: {ID: string}});
    expect(lines.map(({stream = ''}) => stream).join('')).toContain('of s3cret');
    expect(lines.find(({id}) => id === 'moby.image.id')?.aux?.ID).toMatch(/^sha256:/);
    const files = await post(`/build?version=2&remote=client-session&session=${session}`, archive);
    expect(files.text).toContain('files of a session');
  });

  it('that goes away leaves nothing behind', async () => {
    const building = build({
      dockerfile: 'FROM busybox\nRUN sleep 600\n',
      onStep: (title, stop) => {
        if (title.includes('sleep')) stop();
      },
    });
    await expect(building).rejects.toMatchObject({kind: 'unavailable'});
    await eventually(async () => {
      const left = await host.tscompose(['engine', 'fsck']);
      expect(left.code).toBe(0);
      expect(readdirSync(join(host.run, 'builds'))).toEqual([]);
    });
  });
});
