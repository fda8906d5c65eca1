// Records what Docker Compose does with the image of a service in every case of test/reconcile/pull-cases.mjs: whether it
// asks the registry, which image there is in the end (the local one, the registry's, a built one, none), and whether it ends
// well. To be run where an engine answers to DOCKER_HOST and shares this program's loopback:
//   COMPOSE_COMMAND="docker compose" node scripts/record-pull-policies.mjs
import {spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {pullCases, pullCommands} from '../test/reconcile/pull-cases.mjs';

const command = process.env.COMPOSE_COMMAND;
if (command === undefined) {
  console.error('COMPOSE_COMMAND is not set: the command that runs Docker Compose, for example "docker compose"');
  process.exit(64);
}
const [docker, ...words] = command.split(' ');
const output = new URL('../test/recorded/pull-policies.json', import.meta.url).pathname;

const digest = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An image of nothing, which says where it is from. */
function registryImage() {
  const archive = Buffer.alloc(1024);
  const layer = gzipSync(archive);
  const config = Buffer.from(
    JSON.stringify({
      ...{architecture: 'amd64', os: 'linux', config: {Labels: {where: 'registry'}}},
      rootfs: {type: 'layers', diff_ids: [digest(archive)]},
    }),
  );
  const type = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = Buffer.from(
    JSON.stringify({
      ...{schemaVersion: 2, mediaType: type},
      config: {
        mediaType: 'application/vnd.docker.container.image.v1+json',
        size: config.length,
        digest: digest(config),
      },
      layers: [
        {mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: layer.length, digest: digest(layer)},
      ],
    }),
  );
  return {type, manifest, blobs: new Map([config, layer].map((bytes) => [digest(bytes), bytes]))};
}

/** A registry that has the image `there`, and counts who asks for a manifest. */
async function startRegistry() {
  const {type, manifest, blobs} = registryImage();
  const counter = {asked: 0};
  const server = createServer((request, response) => {
    const send = (status, bytes = Buffer.alloc(0), headers = {}) => {
      response.writeHead(status, {'content-length': bytes.length, ...headers});
      response.end(request.method === 'HEAD' ? undefined : bytes);
    };
    const [, name, kind, reference] = /^\/v2\/([^/]+)\/(manifests|blobs)\/(.+)$/.exec(request.url) ?? [];
    if (request.url === '/v2/') return send(200);
    if (kind === 'manifests') counter.asked += 1;
    if (kind === 'manifests' && name === 'there')
      return send(200, manifest, {'content-type': type, 'docker-content-digest': digest(manifest)});
    const blob = kind === 'blobs' ? blobs.get(reference) : undefined;
    return blob === undefined ? send(404, Buffer.from('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')) : send(200, blob);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {counter, server, port: server.address().port};
}

/** Asynchronous: the registry answers from this process. */
async function run(program, args, options) {
  const child = spawn(program, args, {stdio: ['ignore', 'ignore', 'pipe'], ...options});
  let told = '';
  child.stderr.on('data', (bytes) => {
    told += bytes;
  });
  const [code] = await once(child, 'close');
  return {code, told};
}

function inspectLabel(image) {
  const {status, stdout} = spawnSync(docker, ['image', 'inspect', '-f', '{{index .Config.Labels "where"}}', image], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'none';
}

async function ask(one, {directory, registry}) {
  const image = one.kind === 'build' ? 'pullcases-a' : `127.0.0.1:${registry.port}/${one.isThere ? 'there' : 'gone'}:1`;
  const service = {
    ...{command: ['true'], network_mode: 'none'},
    ...(one.kind === 'build' ? {} : {image}),
    ...(one.kind === 'image' ? {} : {build: {context: '.'}}),
    ...(one.policy === 'none' ? {} : {pull_policy: one.policy}),
  };
  writeFileSync(join(directory, 'compose.yaml'), JSON.stringify({name: 'pullcases', services: {a: service}}));
  spawnSync(docker, ['rm', '-f', 'pullcases-a-1'], {stdio: 'ignore'});
  spawnSync(docker, ['rmi', '-f', image], {stdio: 'ignore'});
  if (one.isHere) {
    spawnSync(docker, ['tag', 'pullcases-seed', image], {stdio: 'ignore'});
    if (one.policy === 'every_1s') await new Promise((resolve) => setTimeout(resolve, 1100));
  }
  registry.counter.asked = 0;
  const {code, told} = await run(docker, [...words, ...pullCommands[one.command]], {cwd: directory});
  const answer = {asks: registry.counter.asked > 0, image: inspectLabel(image), ends: code === 0 ? 'well' : 'badly'};
  if (process.env.SHOW_MESSAGES)
    console.error(one.name, JSON.stringify(answer), code === 0 ? '' : told.trim().split('\n').at(-1));
  return answer;
}

const directory = mkdtempSync(join(tmpdir(), 'record-pull-'));
const registry = await startRegistry();
try {
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\nLABEL where=local\n');
  spawnSync(docker, ['build', '-q', '-t', 'pullcases-seed', directory], {stdio: 'ignore'});
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\nLABEL where=built\n');
  const answers = {};
  for (const one of pullCases()) answers[one.name] = await ask(one, {directory, registry});
  const version = spawnSync(docker, [...words, 'version', '--short'], {encoding: 'utf8'}).stdout.trim();
  const lines = Object.entries(answers).map(([name, answer]) => `${JSON.stringify(name)}: ${JSON.stringify(answer)}`);
  const head = `"compose": ${JSON.stringify(version)}, "date": ${JSON.stringify(new Date().toISOString().slice(0, 10))}`;
  writeFileSync(output, `{${head}, "answers": {\n${lines.join(',\n')}\n}}\n`);
  console.log(`recorded ${lines.length} cases of Docker Compose ${version}`);
} finally {
  spawnSync(docker, ['rm', '-f', 'pullcases-a-1'], {stdio: 'ignore'});
  for (const image of [
    'pullcases-seed',
    'pullcases-a',
    `127.0.0.1:${registry.port}/there:1`,
    `127.0.0.1:${registry.port}/gone:1`,
  ])
    spawnSync(docker, ['rmi', '-f', image], {stdio: 'ignore'});
  registry.server.close();
  rmSync(directory, {recursive: true});
}
