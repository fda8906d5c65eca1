import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const stack = `services:
  base:
    image: base:1
    build: {context: base}
    command: ["sleep", "1000"]
  api:
    build:
      context: api
      args: {WORD: hello}
      additional_contexts: {ground: "service:base"}
      secrets: [key]
      tags: ["more:2"]
    command: ["sh", "-c", "cat /word /ground; exec sleep 1000"]
  twin:
    image: base:1
    build: {context: base}
    command: ["sleep", "1000"]
secrets:
  key: {file: key.txt}
`;

describe('images that are built', () => {
  let host: TestHost;
  const write = (path: string, text: string) => writeFileSync(join(host.directory, 'stack', path), text);
  const run = (words: readonly string[]) => host.tscompose(words, {cwd: join(host.directory, 'stack')});

  beforeAll(async () => {
    host = await makeHost();
    await loadImages(host, ['busybox']);
    for (const name of ['base', 'api', 'first', 'same'])
      mkdirSync(join(host.directory, 'stack', name), {recursive: true});
    write('compose.yaml', stack);
    write('key.txt', 'hidden');
    write('base/Dockerfile', 'FROM busybox\nRUN echo ground > /ground\n');
    write('api/file', 'one\n');
    write(
      'api/Dockerfile',
      'FROM ground\nARG WORD\nRUN --mount=type=secret,id=key test "$(cat /run/secrets/key)" = hidden\nCOPY file /f\nRUN echo $WORD > /word\n',
    );
  });

  afterAll(async () => {
    await run(['down', '-t', '0']);
    const left = host.leftovers();
    await host[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });

  test('a stack builds what is missing, each image once, and comes up', async () => {
    const up = await run(['up', '-d']);
    expect({code: up.code, stderr: up.code === 0 ? '' : up.stderr}).toEqual({code: 0, stderr: ''});
    expect(up.stderr.match(/RUN echo ground/g)).toHaveLength(1);
    await eventually(async () =>
      expect((await run(['logs', '--no-log-prefix', 'api'])).stdout).toBe('hello\nground\n'),
    );
    const images = (await run(['images'])).stdout.split('\n').map((line) => line.split(/ {2,}/));
    expect(images[0]).toEqual(['CONTAINER', 'REPOSITORY', 'TAG', 'PLATFORM', 'IMAGE ID', 'SIZE', 'CREATED']);
    expect(images.slice(1, 4).map((cells) => cells.slice(0, 3))).toEqual([
      ['stack-api-1', 'stack-api', 'latest'],
      ['stack-base-1', 'base', '1'],
      ['stack-twin-1', 'base', '1'],
    ]);
    expect(images[1]?.[6]).toMatch(/ ago$/);
    const listed = JSON.parse((await run(['images', '--format', 'json', 'base'])).stdout) as object[];
    expect(listed).toEqual([
      {
        ...{ID: expect.stringMatching(/^sha256:/), ContainerName: 'stack-base-1', Repository: 'base', Tag: '1'},
        ...{Platform: expect.stringMatching(/^linux\//), Size: expect.any(Number)},
        ...{Created: expect.any(String), LastTagTime: expect.any(String)},
      },
    ]);
    const again = await run(['up', '-d']);
    expect(again.stderr).not.toContain('RUN');
  });

  test('what changed is built again, and its container is made anew', async () => {
    write('api/file', 'two\n');
    const {code, stderr} = await run(['build', '--explain', 'api']);
    expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
    expect(stderr).toContain('not from the cache: file "file" changed');
    const up = await run(['up', '-d', '--build']);
    expect(up.stderr).toContain('CACHED');
    expect(up.stderr).toContain('container stack-api-1 recreated');
    expect(up.stderr).not.toContain('stack-twin-1 recreated');
  });

  test('what changed is told of what was taken from the cache, too', async () => {
    write('first/Dockerfile', 'FROM busybox\nCOPY . /in\n');
    write('first/file', 'one\n');
    const build = (...words: string[]) => run(['engine', 'build', '--explain', ...words]);
    expect((await build('first')).stderr).toContain('not from the cache: it was never built before');
    write('same/Dockerfile', 'FROM busybox\nCOPY . /in\n');
    write('same/file', 'one\n');
    expect((await build('same')).stderr).toContain('from the cache: nothing that it is made of changed');
    write('same/file', 'two\n');
    const {stderr} = await build('same');
    expect(stderr.match(/not from the cache: .*/g)).toEqual(['not from the cache: file "file" changed']);
  });

  test('a build that fails stops what is made of it, and nothing else', async () => {
    write(
      'failing.yaml',
      `name: failing
services:
  good: {image: busybox, command: ["sleep", "1000"]}
  bad:
    build:
      context: api
      dockerfile_inline: |
        FROM busybox
        RUN echo almost; exit 7
  after: {image: busybox, depends_on: [bad], command: ["sleep", "1000"]}
`,
    );
    const plan = await run(['-f', 'failing.yaml', 'plan']);
    expect(plan.stdout).toMatch(/◆ failing-bad +build image: not on this machine/);
    const {code, stderr} = await run(['-f', 'failing.yaml', 'up', '-d']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/bad #\d+ [\d.]+ almost/);
    expect(stderr).toContain(' --> services.bad.build.dockerfile_inline:2:1\n');
    expect(stderr).toContain('container failing-after-1 skipped');
    const running = await run(['-f', 'failing.yaml', 'ps', '--services', '--status', 'running']);
    expect(running.stdout).toBe('good\n');
    await run(['-f', 'failing.yaml', 'down', '-t', '0']);
  });

  test('a build that is killed leaves a container, which the next build clears away', async () => {
    write('api/Slow', 'FROM busybox\nRUN echo begun && sleep 1000\n');
    let kill = () => {};
    const building = host.tscompose(['engine', 'build', '-f', 'api/Slow', 'api'], {
      cwd: join(host.directory, 'stack'),
      onSpawn: (process) => {
        kill = () => process.kill('SIGKILL');
      },
    });
    const left = () => readdirSync(join(host.root, 'names')).filter((name) => name.startsWith('build-'));
    await eventually(() => expect(left()).toHaveLength(1));
    kill();
    await building;
    expect(left()).toHaveLength(1);
    // Its helper ends a moment later, and with it the lock that says that the build is under way.
    await eventually(async () => {
      await run(['build', '-q']);
      expect(left()).toEqual([]);
    });
  });

  test('engine build writes what it built, and says where a step failed', async () => {
    const directory = join(host.directory, 'stack');
    write(
      'api/Other',
      'FROM busybox AS one\nRUN echo made > /made\nFROM scratch AS files\nCOPY --from=one /made /made\n',
    );
    const words = ['engine', 'build', '-q', '-f', 'api/Other'];
    const {code, stdout} = await run([...words, '--target', 'one', '--iidfile', 'id', 'api']);
    expect({code, id: readFileSync(join(directory, 'id'), 'utf8')}).toEqual({code: 0, id: stdout.trim()});
    await run([...words, '-o', 'out', 'api']);
    expect(readFileSync(join(directory, 'out/made'), 'utf8')).toBe('made\n');
    write('api/Broken', 'FROM busybox\n\nRUN exit 7\n');
    const broken = await run(['engine', 'build', '-f', 'api/Broken', 'api']);
    expect(broken.code).not.toBe(0);
    expect(broken.stderr).toContain(' --> api/Broken:3:1\n');
    expect(broken.stderr).toContain('exit code: 7');
  });
});
