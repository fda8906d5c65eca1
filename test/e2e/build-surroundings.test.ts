import {generateKeyPairSync} from 'node:crypto';
import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {nativeProgram} from '../native/network-bed.ts';
import {type CommandResult, eventually, makeHost, projectDirectory} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';
import {makeUserHost} from '../support/user-host.ts';

const timeout = 180_000;

/** Stages beside each other, all kinds of mounts, whiteouts, links, a user that is not root. */
const dockerfile = `FROM busybox AS one
WORKDIR /made
RUN --mount=type=cache,target=/cache --mount=type=tmpfs,target=/memory \\
  echo one > file && ln file hard && ln -s file link && touch /cache/kept /memory/gone
FROM busybox AS two
RUN --mount=type=bind,target=/context --mount=type=secret,id=key \\
  cp /context/text /text && wc -c < /run/secrets/key > /length && rm /etc/group && rm -r /home
FROM busybox
COPY --from=one /made /one/
COPY --from=two --chmod=640 /text /length /two/
COPY --chown=@OWNER@ text /owned/
RUN --mount=from=two,target=/other test ! -e /other/etc/group && mkdir /gone && touch /gone/a
RUN rm -r /gone && mkdir /gone && touch /gone/b
RUN <<END
#!/bin/sh -e
stat -c '%n %a %u:%g' /one/* /two/* /owned/* /gone/* > /list
END
USER @OWNER@
WORKDIR /home/work
RUN id -u > mine && ls -la /cache /memory /run/secrets /context 2> /dev/null; cat mine
CMD ["sh", "-c", "cat /list; id -u; stat -c '%n %u' /home/work /home/work/mine"]
`;

function listed(uid: number): string {
  return [
    ...['/one/file 644 0:0', '/one/hard 644 0:0', '/one/link 777 0:0', '/two/length 640 0:0', '/two/text 640 0:0'],
    ...[`/owned/text 644 ${uid}:${uid}`, '/gone/b 644 0:0', `${uid}`, `/home/work ${uid}`, `/home/work/mine ${uid}`],
  ]
    .map((line) => `${line}\n`)
    .join('');
}

interface Builder {
  readonly directory: string;
  run(words: readonly string[]): Promise<CommandResult>;
}

async function expectBuilt(
  {directory, run}: Builder,
  owner: {readonly name: string; readonly uid: number},
): Promise<void> {
  mkdirSync(join(directory, 'context'), {recursive: true});
  chmodSync(join(directory, 'context'), 0o755);
  writeFileSync(join(directory, 'context/Dockerfile'), dockerfile.replaceAll('@OWNER@', owner.name));
  writeFileSync(join(directory, 'context/text'), 'text\n');
  writeFileSync(join(directory, 'key'), 'hidden');
  const words = ['engine', 'build', '-t', 'built', '--secret', 'id=key,src=key', 'context'];
  const built = await run(words);
  expect({code: built.code, stderr: built.code === 0 ? '' : built.stderr}).toEqual({code: 0, stderr: ''});
  const again = await run(words);
  expect(again.code).toBe(0);
  expect(again.stderr).not.toMatch(/ DONE|done in/i);
  writeFileSync(join(directory, 'compose.yaml'), 'name: b\nservices: {it: {image: built}}\n');
  const ran = await run(['up', '--no-color', '--no-log-prefix']);
  for (const line of listed(owner.uid).trim().split('\n')) expect(ran.stdout).toContain(line);
  expect((await run(['down', '-t', '0'])).code).toBe(0);
  expect((await run(['engine', 'image', 'rm', 'built'])).code).toBe(0);
}

test('an image is built without the system calls that came after Linux 5.15', {timeout}, async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const helper =
    process.env['TSCOMPOSE_HELPER'] ?? join(projectDirectory, `dist/native/linux-${process.arch}/tscompose-helper`);
  const older = join(host.directory, 'older-helper');
  writeFileSync(older, `#!/bin/sh\nexec ${nativeProgram('enosys')} ${helper} "$@"\n`);
  chmodSync(older, 0o755);
  const env = {TSCOMPOSE_HELPER: older};
  const run = (words: readonly string[]) => host.tscompose(words, {env, timeoutMs: 120_000});
  await expectBuilt({directory: host.directory, run}, {name: 'app', uid: 1000});
  expect(host.leftovers()).toEqual([]);
});

test('an image is built by an ordinary user with subordinate ids', {timeout}, async () => {
  await using host = await makeUserHost(['ids']);
  await host.loadImages(['busybox']);
  const run = (words: readonly string[]) => host.tscompose(words, {timeoutMs: 120_000});
  await expectBuilt({directory: host.directory, run}, {name: 'app', uid: 1000});
  const owners = await host.asRoot('find', [host.root, '-user', '0']);
  expect(owners).toMatchObject({code: 0, stdout: ''});
  await eventually(() => expect(host.leftovers()).toEqual([]));
});

test('an image is built by an ordinary user with no other id', {timeout}, async () => {
  await using host = await makeUserHost();
  await host.loadImages(['busybox']);
  const run = (words: readonly string[]) => host.tscompose(words, {timeoutMs: 120_000});
  await expectBuilt({directory: host.directory, run}, {name: 'root', uid: 0});
  await eventually(() => expect(host.leftovers()).toEqual([]));
});

test('a step has names of its build in any network', {timeout}, async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const context = join(host.directory, 'context');
  mkdirSync(context);
  const show = "grep -E 'machine|other' /etc/hosts; true";
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM busybox\nRUN ${show}\nRUN --network=none ${show}\nRUN --network=host ${show}\n`,
  );
  const words = ['engine', 'build', '--progress', 'plain', '--allow', 'network.host', context];
  const names = ['--add-host', 'machine:host-gateway', '--add-host', 'other:10.1.2.3'];
  const {code, stderr} = await host.tscompose([...words, ...names]);
  const told = [...stderr.matchAll(/^#(\d) [\d.]+ (\S+)\t(\S+)$/gm)].map(([, step, address, name]) =>
    [step, name, address].join(' '),
  );
  expect({code, told}).toEqual({
    code: 0,
    told: [
      expect.stringMatching(/^2 machine (?!127\.)\d+\.\d+\.\d+\.\d+$/),
      '2 other 10.1.2.3',
      '3 other 10.1.2.3',
      '4 machine 127.0.0.1',
      '4 other 10.1.2.3',
    ],
  });
});

test('a step has an agent for keys that are in files', {timeout}, async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const context = join(host.directory, 'context');
  mkdirSync(context);
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM busybox\nRUN --mount=type=ssh,id=a,required test -S "$SSH_AUTH_SOCK" && echo there\n',
  );
  const {privateKey} = generateKeyPairSync('ed25519');
  const write = (name: string, options: object) =>
    writeFileSync(join(host.directory, name), privateKey.export({format: 'pem', type: 'pkcs8', ...options}));
  write('key', {});
  write('locked', {cipher: 'aes-256-cbc', passphrase: 'word'});
  const build = (agent: string) =>
    host.tscompose(['engine', 'build', '--progress', 'plain', '--ssh', agent, context], {cwd: host.directory});
  const built = await build('a=key,key');
  expect({code: built.code, said: built.stderr.match(/ (there)$/m)?.[1]}).toEqual({code: 0, said: 'there'});
  const refused = await build('a=locked');
  expect(refused.code).toBe(65);
  expect(refused.stderr).toContain(`ssh agent "a": ${join(host.directory, 'locked')}: it has a passphrase`);
});
