import {randomBytes} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {dockerEnvironment, missingDocker} from '../support/docker-cli.ts';
import {eventually, makeHost, type TestHost} from '../support/host.ts';
import {openTerminal} from '../support/terminal.ts';
import {imageArchive} from '../support/test-images.ts';
import {type LongCommand, startCommand} from '../support/watching.ts';

const real = process.env['TSCOMPOSE_TEST_DOCKER'] ?? '';
const missing = missingDocker();

/** The real command line against our engine, and, where there is one, against Docker's: the same words, the same answers. */
describe.each([
  ['engine serve', missing],
  ['Docker Engine', real === '' ? 'TSCOMPOSE_TEST_DOCKER names no socket of a Docker Engine' : missing],
])('docker with %s', (engine, reason) => {
  if (reason !== undefined) {
    it.skip(`not run: ${reason}`);
    return;
  }
  const id = `tsc-${randomBytes(4).toString('hex')}`;
  let host: TestHost;
  let served: LongCommand | undefined;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    host = await makeHost();
    if (engine === 'engine serve') {
      served = startCommand(host, ['engine', 'serve']);
      await eventually(() => expect(served?.stdout()).toContain('listening at'));
    }
    env = {
      ...dockerEnvironment(served === undefined ? real : join(host.run, 'engine.sock')),
      N: id,
      RUN: 'docker run --network none',
    };
    expect((await sh(`docker load -qi ${imageArchive('busybox')}`)).code).toBe(0);
  });

  afterAll(async () => {
    await sh('docker rm -fv $(docker ps -aq --filter name=$N)');
    await sh(
      'docker volume rm $(docker volume ls -q --filter name=$N); docker network rm $(docker network ls -q --filter name=$N)',
    );
    expect(await served?.interrupt()).toBe(served === undefined ? undefined : 0);
    const left = host.leftovers();
    await host[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  });

  async function sh(line: string, input?: string | Uint8Array) {
    const {code, stdout, stderr} = await host.command('sh', ['-c', line], {
      env,
      ...(input === undefined ? {} : {input}),
    });
    return {code, stdout, stderr};
  }

  it.each<[string, string, {code?: number; stdout?: string; stderr?: string}, string?]>([
    ['run', "$RUN --rm busybox sh -c 'echo out; echo err >&2; exit 3'", {code: 3, stdout: 'out\n', stderr: 'err\n'}],
    ['run with input', '$RUN --rm -i busybox cat', {stdout: 'typed\n'}, 'typed\n'],
    ['run with much input', '$RUN --rm -i busybox wc -c', {stdout: '3000000\n'}, 'x'.repeat(3_000_000)],
    [
      'run without reading',
      '$RUN --rm busybox head -c 3000000 /dev/zero | (read -t 1 x; cat) | wc -c',
      {stdout: '3000000\n'},
    ],
    ['run of nothing', '$RUN --rm busybox there-is-no-such 2>/dev/null', {code: 127}],
    ['run of a directory', '$RUN --rm busybox /etc 2>/dev/null', {code: 126}],
    [
      'run restarted',
      "$RUN --name $N-again --restart on-failure:1 busybox sh -c 'echo run; exit 9'",
      {code: 9, stdout: 'run\n'},
    ],
    [
      'create, start and wait',
      "$RUN -d --name $N-bg busybox sh -c 'echo $0; exit 4' word >/dev/null; docker wait $N-bg; docker logs $N-bg; docker start -a $N-bg",
      {code: 4, stdout: '4\nword\nword\n'},
    ],
    [
      'attach to one that has ended',
      'docker attach $N-bg',
      {code: 1, stderr: 'You cannot attach to a stopped container, start it first\n'},
    ],
    [
      'logs',
      'docker logs -n 1 $N-bg; docker logs -t $N-bg | cut -c 32-; docker logs --details $N-bg',
      {stdout: 'word\nword\nword\n word\n word\n'},
    ],
    [
      'logs that are followed',
      "$RUN -d --name $N-follow busybox sh -c 'for i in 1 2 3; do echo $i; sleep 0.1; done' >/dev/null; docker logs -f $N-follow",
      {stdout: '1\n2\n3\n'},
    ],
    ['a container that stays', '$RUN -d --name $N-stay --label a=b busybox sleep 1000 | wc -c', {stdout: '65\n'}],
    ['exec', "docker exec $N-stay sh -c 'echo out; echo err >&2; exit 7'", {code: 7, stdout: 'out\n', stderr: 'err\n'}],
    ['exec with input', 'docker exec -i $N-stay cat', {stdout: 'typed'}, 'typed'],
    [
      'exec of its own kind',
      "docker exec -e A=b -w /tmp -u 12:34 $N-stay sh -c 'echo $A $PWD $(id -u):$(id -g)'",
      {stdout: 'b /tmp 12:34\n'},
    ],
    [
      'exec in the background',
      'docker exec -d $N-stay touch /made; until docker exec $N-stay ls /made 2>/dev/null; do :; done',
      {stdout: '/made\n'},
    ],
    ['exec of nothing', 'docker exec $N-stay there-is-no-such >/dev/null 2>&1', {code: 127}],
    [
      'cp',
      'echo text | docker exec -i $N-stay sh -c "cat >/tmp/f"; docker cp $N-stay:/tmp/f - | tar xO; docker cp $N-stay:/tmp/f ./g 2>/dev/null; docker cp ./g $N-stay:/h 2>/dev/null; docker exec $N-stay cat /h',
      {stdout: 'text\ntext\n'},
    ],
    ['diff', 'docker diff $N-stay | sort', {stdout: 'A /h\nA /made\nA /tmp/f\nC /tmp\n'}],
    ['top', 'docker top $N-stay -o pid,args | tail -1 | grep -o "sleep.*"', {stdout: 'sleep 1000\n'}],
    ['stats', "docker stats --no-stream --format '{{.Name}} {{.PIDs}}' $N-stay | sed s/$N//", {stdout: '-stay 1\n'}],
    [
      'inspect',
      "docker inspect -f '{{.State.Status}} {{.Config.Labels.a}} {{.HostConfig.NetworkMode}} {{json .Config.Cmd}}' $N-stay",
      {stdout: 'running b none ["sleep","1000"]\n'},
    ],
    [
      'update',
      "docker update --memory 64m --memory-swap 64m $N-stay >/dev/null; docker inspect -f '{{.HostConfig.Memory}}' $N-stay",
      {stdout: '67108864\n'},
    ],
    [
      'pause',
      "docker pause $N-stay >/dev/null; docker ps --format '{{.Status}}' --filter name=$N-stay | grep -o '(.*)'; docker unpause $N-stay | sed s/$N//",
      {stdout: '(Paused)\n-stay\n'},
    ],
    [
      'rename',
      "docker rename $N-stay $N-other; docker ps --format '{{.Names}} {{.State}}' --filter name=$N-other | sed s/$N//",
      {stdout: '-other running\n'},
    ],
    [
      'commit',
      'docker commit -m note -c \'CMD ["ls","/made"]\' $N-other $N-image | wc -c; $RUN --rm $N-image; docker rmi $N-image >/dev/null',
      {stdout: '72\n/made\n'},
    ],
    [
      'restart and stop',
      'docker restart -t 0 $N-other >/dev/null; docker stop -t 0 $N-other >/dev/null; docker wait $N-other',
      {stdout: '137\n'},
    ],
    ['export', 'docker export $N-other | tar t | grep -x made', {stdout: 'made\n'}],
    [
      'volume',
      "docker volume create --label a=b $N-volume >/dev/null; $RUN --rm -v $N-volume:/v busybox sh -c 'echo kept >/v/f'; $RUN --rm -v $N-volume:/v busybox cat /v/f; docker volume inspect -f '{{.Driver}} {{.Scope}} {{.Labels.a}}' $N-volume",
      {stdout: 'kept\nlocal local b\n'},
    ],
    [
      'network',
      "docker network create $N-net >/dev/null; docker network ls --format '{{.Driver}} {{.Scope}}' --filter name=$N-net; docker run --rm --network $N-net --name $N-peer busybox sh -c 'ip -4 addr show eth0 | grep -c inet'; docker network rm $N-net >/dev/null",
      {stdout: 'bridge local\n1\n'},
    ],
    [
      'events',
      "docker events --since 10m --until 0s --filter container=$N-bg --format '{{.Action}} {{.Actor.Attributes.exitCode}}'",
      {stdout: 'create <no value>\nstart <no value>\ndie 4\nattach <no value>\nstart <no value>\ndie 4\n'},
    ],
    [
      'system',
      "docker system df --format '{{.Type}}'; docker info -f '{{.OSType}}'; docker version -f '{{.Server.Os}}'",
      {stdout: 'Images\nContainers\nLocal Volumes\nBuild Cache\nlinux\nlinux\n'},
    ],
    [
      'prune',
      'docker create --name $N-gone --label $N busybox >/dev/null; docker container prune -f --filter label=$N | grep -c .; docker inspect $N-gone >/dev/null 2>&1',
      {code: 1, stdout: '3\n'},
    ],
    [
      'rm',
      'docker rm -f $N-other $N-bg $N-follow | sed s/$N//; docker ps -aq --filter name=$N-other',
      {stdout: '-other\n-bg\n-follow\n'},
    ],
  ])('%s', async (_name, line, {code = 0, ...expected}, input) => {
    expect(await sh(line, input)).toMatchObject({code, ...expected});
  });

  it('a terminal: its size, keys that let go, attach, exec', async () => {
    await using terminal = openTerminal(host, {columns: 72, rows: 20, env});
    terminal.type('$RUN -it --name $N-tty busybox sh\r');
    await terminal.shows('/ #');
    terminal.type('stty size\r');
    await terminal.shows(/^20 72$/m);
    terminal.resize(90, 25);
    await eventually(() => {
      terminal.type('stty size\r');
      expect(terminal.screen()).toMatch(/^25 90$/m);
    });
    terminal.type('\x10\x11');
    await terminal.shows(/\$$/);
    terminal.type('clear; docker attach $N-tty\r');
    await terminal.shows('/ #');
    terminal.type('echo back $((1 + 1))\r');
    await terminal.shows(/^back 2$/m);
    terminal.type('\x10\x11');
    // The prompt is there again: what is typed before that may still be the container's.
    await terminal.shows(/read escape sequence\n\$$/);
    terminal.type('clear; docker exec -it $N-tty sh -c \'tty; read x; echo "got $x"; exit 6\'\r');
    await terminal.shows(/^\/dev\/pts\/1$/m);
    terminal.type('it\r');
    await terminal.shows(/^got it\n\$$/m);
    terminal.type('echo code $?\r');
    await terminal.shows(/^code 6$/m);
    terminal.type('clear; docker attach $N-tty\r');
    await terminal.shows('/ #');
    terminal.type('exit 5\r');
    await terminal.shows(/\$$/);
    terminal.type('echo code $?\r');
    await terminal.shows(/^code 5$/m);
    terminal.type('clear; docker start -ai $N-tty\r');
    await terminal.shows('/ #');
    terminal.type('exit 4\r');
    await terminal.shows(/\$$/);
    terminal.type('echo code $?\r');
    await terminal.shows(/^code 4$/m);
  });

  const withoutCompose = missingDocker('compose');
  it.skipIf(withoutCompose !== undefined)(`compose: up, ps, logs, exec, down ${withoutCompose ?? ''}`, async () => {
    writeFileSync(
      join(host.directory, 'compose.yaml'),
      `name: ${id}
services:
  db:
    image: busybox
    command: sh -c 'echo db up; trap "exit 0" TERM; sleep 1000 & wait'
    healthcheck: {test: [CMD, "true"], interval: 1s}
    volumes: [data:/data]
  web:
    image: busybox
    command: sh -c 'echo web up; mkdir /www; echo hello >/www/index.html; exec httpd -f -h /www'
    depends_on: {db: {condition: service_healthy}}
    stop_grace_period: 0s
    scale: 2
volumes: {data: {}}
`,
    );
    const compose = (words: string) => sh(`docker compose ${words}`);
    expect(await compose('up -d')).toMatchObject({code: 0});
    const ps = await compose("ps --format '{{.Service}} {{.State}}'");
    expect(ps.stdout.trim().split('\n').toSorted()).toEqual(['db running', 'web running', 'web running']);
    expect((await compose('logs --no-log-prefix db')).stdout).toBe('db up\n');
    await eventually(async () =>
      expect(await compose('exec -T db sh -c "wget -qO- http://web/; exit 3"')).toMatchObject({
        code: 3,
        stdout: 'hello\n',
      }),
    );
    expect(await compose('run --rm -T db echo once')).toMatchObject({code: 0, stdout: 'once\n'});
    expect(await compose('up -d --scale web=1')).toMatchObject({code: 0});
    expect((await compose('ps -q web')).stdout.trim().split('\n')).toHaveLength(1);
    expect(await compose('stop')).toMatchObject({code: 0});
    expect((await compose("ps -a --format '{{.Service}} {{.State}} {{.ExitCode}}' db")).stdout).toBe('db exited 0\n');
    expect(await compose('down -v')).toMatchObject({code: 0});
    expect((await compose('ps -aq')).stdout).toBe('');
  });
});
