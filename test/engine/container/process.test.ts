import {mkdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {ContainerCreateBody, HostConfig} from '../../../src/api/types/container.ts';
import {readMachine} from '../../../src/engine/container/machine.ts';
import {type Bed, makeBed} from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await makeBed();
});
afterAll(() => bed.close());

async function shell(script: string, body?: ContainerCreateBody): Promise<string> {
  const {code, output} = await bed.run(['sh', '-c', script], body);
  expect({code, output}).toEqual({code: 0, output});
  return output;
}

const host = (HostConfig: HostConfig): ContainerCreateBody => ({HostConfig});

describe('the process', () => {
  it('has the image’s words and variables, with the body’s above', async () => {
    expect(await shell('env | sort | grep -v -E "SHLVL|PWD"', {Env: ['A=1', 'FROM_IMAGE'], Hostname: 'here'})).toBe(
      'A=1\nHOME=/root\nHOSTNAME=here\nPATH=/bin\n',
    );
    expect(await bed.run(['-c', 'echo $0 $1', 'x', 'y z'], {Entrypoint: ['sh']})).toEqual({code: 0, output: 'x y z\n'});
  });

  it('has Docker’s capabilities, a filter, and no new privileges only where asked', async () => {
    const status = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status | tr -d "\\t" | tr "\\n" " "';
    expect(await shell(status)).toBe(
      'CapInh:0000000000000000 CapPrm:00000000a80425fb CapEff:00000000a80425fb CapBnd:00000000a80425fb CapAmb:0000000000000000 NoNewPrivs:0 Seccomp:2 ',
    );
    expect(
      await shell(
        status,
        host({
          CapDrop: ['ALL'],
          CapAdd: ['cap_net_admin', 'CHOWN'],
          SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'],
        }),
      ),
    ).toBe(
      'CapInh:0000000000000000 CapPrm:0000000000001001 CapEff:0000000000001001 CapBnd:0000000000001001 CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:0 ',
    );
  });

  it('is the user and in the groups that were asked for', async () => {
    expect(await shell('id; echo $HOME', {User: 'app'})).toBe(
      'uid=1000(app) gid=1000(app) groups=77(extra),1000(app)\n/home/app\n',
    );
    expect(await shell('id -u; id -g; id -G', {User: '1234:77', HostConfig: {GroupAdd: ['55', 'extra']}})).toMatch(
      /^1234\n77\n(77 55|55 77)\n$/,
    );
    const id = await bed.create(['true'], {User: 'nobody-here'});
    await expect(bed.engine.containers.start(id)).rejects.toMatchObject({
      message: expect.stringContaining("no matching entries in the container's passwd file"),
    });
    expect(await bed.state(id)).toMatchObject({Status: 'created', Running: false});
    await bed.engine.containers.remove(id);
  });

  it('starts in its directory, which is made where it is missing', async () => {
    expect(await shell('pwd', {WorkingDir: '/a/b'})).toBe('/a/b\n');
  });

  it('has limits, names and settings of its own', async () => {
    const output = await shell(
      'ulimit -n; hostname; cat /proc/sys/kernel/domainname; cat /proc/self/oom_score_adj; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax',
      {
        Hostname: 'web',
        Domainname: 'example.com',
        HostConfig: {
          Ulimits: [{Name: 'nofile', Soft: 123, Hard: 456}],
          OomScoreAdj: 77,
          Sysctls: {'kernel.msgmax': '4321'},
        },
      },
    );
    expect(output.split('\n')).toEqual(['123', 'web', 'example.com', '77', '0', '4321', '']);
  });

  it('runs under an init where asked', async () => {
    expect(await shell('cat /proc/1/comm; echo $$', host({Init: true}))).not.toMatch(/^sh\n1\n$/);
    expect(await shell('echo $$')).toBe('1\n');
  });

  it('has a terminal where asked', async () => {
    const {code, output} = await bed.run(['sh', '-c', 'tty; test -c /dev/console && echo console; echo $TERM'], {
      Tty: true,
    });
    expect(code).toBe(0);
    expect(output.replaceAll('\r', '')).toBe('/dev/pts/0\nconsole\nxterm\n');
  });

  it('may not do what a container may not', async () => {
    const denied = await shell(
      `${[
        'mount -t tmpfs x /tmp',
        'hostname x',
        'mknod /tmp/sda b 8 0 && cat /tmp/sda',
        'echo 1 > /proc/sys/kernel/core_pattern',
        'mkdir /sys/fs/cgroup/memory/x',
        'unshare -U true',
        'cat /proc/kcore | head -c 1 | wc -c | grep 1',
      ]
        .map((line) => `(${line}) >/dev/null 2>&1 && echo "allowed: ${line.replaceAll('"', '')}"`)
        .join(';')}; true`,
    );
    expect(denied).toBe('');
  });
});

describe('the root file system', () => {
  it('is the image’s, changes stay until removal, and can be read-only', async () => {
    const id = await bed.start(['sh', '-c', 'test -e /new && echo again; touch /new']);
    await bed.engine.containers.wait(id, 'not-running');
    await bed.engine.containers.start(id);
    await bed.engine.containers.wait(id, 'not-running');
    expect(await bed.logs(id)).toBe('again\n');
    await bed.engine.containers.remove(id);
    expect(
      await shell('touch /x 2>/dev/null || echo refused; touch /dev/shm/y && echo shm', host({ReadonlyRootfs: true})),
    ).toBe('refused\nshm\n');
  });

  it('has the hosts, name and resolver files', async () => {
    const output = await shell(
      'cat /etc/hostname; grep -v -E "^(ff|fe|::1)" /etc/hosts; echo x >> /etc/hosts && echo writable',
      {
        Hostname: 'here',
        HostConfig: {ExtraHosts: ['other:10.1.2.3', 'six=[fd00::1]']},
      },
    );
    expect(output).toBe('here\n127.0.0.1\tlocalhost\n10.1.2.3\tother\nfd00::1\tsix\nwritable\n');
  });
});

describe('mounts', () => {
  it('bind directories and files, read-only where asked, and make what Docker makes', async () => {
    const directory = join(bed.base, 'bound');
    mkdirSync(directory);
    writeFileSync(join(directory, 'file'), 'content\n');
    const output = await shell(
      'cat /a/file /f; echo more > /a/new; touch /r/x 2>/dev/null || echo refused; ls /missing; grep " /r " /proc/mounts | grep -c "ro,"',
      {
        HostConfig: {
          Binds: [
            `${directory}:/a`,
            `${directory}:/r:ro`,
            `${join(directory, 'file')}:/f`,
            `${join(bed.base, 'made')}:/missing`,
          ],
        },
      },
    );
    expect(output).toBe('content\ncontent\nrefused\n1\n');
    expect(readFileSync(join(directory, 'new'), 'utf8')).toBe('more\n');
    expect(statSync(join(bed.base, 'made')).isDirectory()).toBe(true);
    await expect(
      bed.create(['true'], host({Mounts: [{Type: 'bind', Source: '/nowhere/at/all', Target: '/x'}]})),
    ).rejects.toMatchObject({
      kind: 'invalid',
      message: 'invalid mount config for type "bind": bind source path does not exist: /nowhere/at/all',
    });
  });

  it('keep volumes, filled from the image once, with owner and mode', async () => {
    const body = host({Binds: ['keep:/data']});
    expect(await shell('cat /data/seed; stat -c "%u %g %a" /data/seed; echo changed > /data/seed', body)).toBe(
      'from the image\n1000 1000 640\n',
    );
    expect(await shell('cat /data/seed', body)).toBe('changed\n');
    expect(
      await shell(
        'ls /data',
        host({Mounts: [{Type: 'volume', Source: 'empty', Target: '/data', VolumeOptions: {NoCopy: true}}]}),
      ),
    ).toBe('');
    await bed.engine.volumes.remove('keep');
    await bed.engine.volumes.remove('empty');
  });

  it('make anonymous volumes that go with their container', async () => {
    const id = await bed.start(['sh', '-c', 'echo x > /anonymous/x'], {
      Volumes: {'/anonymous': {}, '/named': {}},
      HostConfig: {Binds: ['named:/named']},
    });
    await bed.engine.containers.wait(id, 'not-running');
    const volumes = await bed.engine.volumes.list();
    expect(volumes).toHaveLength(2);
    await expect(bed.engine.volumes.remove('named')).rejects.toMatchObject({kind: 'conflict'});
    await bed.engine.containers.remove(id, {volumes: true});
    expect((await bed.engine.volumes.list()).map(({Name}) => Name)).toEqual(['named']);
    await bed.engine.volumes.remove('named');
  });

  it('stack in order of depth, with tmpfs of any size', async () => {
    const output = await shell(
      'grep -E " /t(/.*)? " /proc/mounts; ls /t',
      host({Tmpfs: {'/t/inner': 'size=1m,exec', '/t': 'size=2m,mode=700'}}),
    );
    expect(output).toBe(
      'tmpfs /t tmpfs rw,nosuid,nodev,noexec,relatime,size=2048k,mode=700 0 0\ntmpfs /t/inner tmpfs rw,nosuid,nodev,relatime,size=1024k 0 0\ninner\n',
    );
  });

  it('place files with owner and mode, from content and source, also in a read-only root', async () => {
    const source = join(bed.base, 'source');
    writeFileSync(source, 'one\n');
    const id = await bed.start(
      ['sh', '-c', 'cat /run/secrets/a /etc/b; stat -c "%u:%g %a %n" /run/secrets/a /etc/b; echo x > /etc/b || true'],
      {
        HostConfig: {
          ReadonlyRootfs: true,
          TscomposeFiles: [
            {
              Target: '/run/secrets/a',
              Content: Buffer.from('secret\n').toString('base64'),
              Uid: 1000,
              Gid: 77,
              Mode: 0o400,
            },
            {Target: '/etc/b', Source: source, Uid: 0, Gid: 0, Mode: 0o444},
          ],
        },
      },
    );
    await bed.engine.containers.wait(id, 'not-running');
    writeFileSync(source, 'two\n');
    expect(await bed.logs(id, {stderr: false})).toBe('secret\none\n1000:77 400 /run/secrets/a\n0:0 444 /etc/b\n');
    await bed.engine.containers.start(id);
    await bed.engine.containers.wait(id, 'not-running');
    expect(await bed.logs(id, {stderr: false})).toContain('secret\ntwo\n');
    const stored = join(bed.layout.container(id).files, '0');
    expect(statSync(stored).mode & 0o777).toBe(0o600);
    expect(JSON.stringify(await bed.engine.containers.inspect(id))).not.toContain(
      Buffer.from('secret').toString('base64').slice(0, 6),
    );
    await bed.engine.containers.remove(id);
  });
});

describe('limits', () => {
  it('are in the container’s cgroups', async () => {
    const {cgroups} = await readMachine();
    const id = await bed.start(
      ['sleep', '100'],
      host({Memory: 64 * 1024 * 1024, NanoCpus: 500_000_000, PidsLimit: 42, CpuShares: 512}),
    );
    const mountOf = (controller: string) =>
      cgroups.v1.find(({controllers}) => controllers.includes(controller))?.mount ?? cgroups.v2?.mount ?? '';
    const read = (controller: string, v1: string, v2: string) =>
      readFileSync(
        join(
          mountOf(controller),
          bed.cgroupParent,
          id,
          cgroups.v1.some(({controllers}) => controllers.includes(controller)) ? v1 : v2,
        ),
        'utf8',
      ).trim();
    expect(read('memory', 'memory.limit_in_bytes', 'memory.max')).toBe('67108864');
    expect(read('cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000( 100000)?$/);
    expect(read('pids', 'pids.max', 'pids.max')).toBe('42');
    const {Pid} = await bed.state(id);
    expect(readFileSync(`/proc/${Pid}/cgroup`, 'utf8')).toContain(`/${bed.cgroupParent}/${id}`);
    await bed.engine.containers.remove(id, {force: true});
  });

  it('end a process that takes too much memory', async () => {
    const id = await bed.start(
      ['sh', '-c', 'x=$(yes | head -c 200000000); echo $x'],
      host({Memory: 16 * 1024 * 1024, MemorySwap: 16 * 1024 * 1024}),
    );
    const {StatusCode} = await bed.engine.containers.wait(id, 'not-running');
    expect(StatusCode).not.toBe(0);
    expect((await bed.state(id)).OOMKilled).toBe(true);
    await bed.engine.containers.remove(id);
  });
});

describe('what is not supported', () => {
  it.each<[string, ContainerCreateBody & Record<string, unknown>]>([
    ['HostConfig.UsernsMode "other"', {HostConfig: {UsernsMode: 'other'} as HostConfig}],
    ['HostConfig.Runtime', {HostConfig: {Runtime: 'runc'} as HostConfig}],
    ['Shell', {Shell: ['bash']}],
    ['a mount of type "npipe"', {HostConfig: {Mounts: [{Type: 'npipe', Target: '/x'}]} as unknown as HostConfig}],
  ])('is refused by name: %s', async (name, body) => {
    await expect(bed.create(['true'], body)).rejects.toMatchObject({
      kind: 'unsupported',
      message: `this engine does not support ${name}`,
    });
  });

  it('is no reason to refuse the members that clients always send', async () => {
    const empty = {
      Devices: [],
      PidMode: '',
      OomKillDisable: false,
      BlkioWeight: 0,
      MemorySwappiness: -1,
      ConsoleSize: [24, 80],
      Isolation: '',
      Links: null,
      CgroupnsMode: 'private',
      UsernsMode: '',
    };
    const id = await bed.create(['true'], {OnBuild: null, HostConfig: empty} as unknown as ContainerCreateBody);
    await bed.engine.containers.remove(id);
  });

  it.each<[string, ContainerCreateBody]>([
    ['invalid capability: "NOPE"', {HostConfig: {CapAdd: ['NOPE']}}],
    ['Minimum memory limit allowed is 6MB', {HostConfig: {Memory: 1024}}],
    [
      'sysctl "kernel.core_pattern" cannot be set for one container: it applies to the whole machine',
      {HostConfig: {Sysctls: {'kernel.core_pattern': 'x'}}},
    ],
    ["the working directory 'x' is invalid, it needs to be an absolute path", {WorkingDir: 'x'}],
    ['Duplicate mount point: /x', {HostConfig: {Binds: ['/tmp:/x'], Tmpfs: {'/x': ''}}}],
    ['invalid mode: rx', {HostConfig: {Binds: ['/tmp:/x:rx']}}],
    [
      `invalid volume specification: '/tmp:x': invalid mount config for type "bind": invalid mount path: 'x' mount path must be absolute`,
      {HostConfig: {Binds: ['/tmp:x']}},
    ],
    ["Unknown healthcheck type 'RUN' (expected 'NONE', 'CMD' or 'CMD-SHELL')", {Healthcheck: {Test: ['RUN', 'x']}}],
  ])('or wrong, is refused: %s', async (message, body) => {
    await expect(bed.create(['true'], body)).rejects.toMatchObject({kind: 'invalid', message});
    expect(await bed.engine.containers.list({all: true})).toEqual([]);
  });

  it('an image that does not exist is said to be missing', async () => {
    await expect(bed.create(['true'], {Image: 'nothing'})).rejects.toMatchObject({
      kind: 'notFound',
      message: 'No such image: nothing:latest',
    });
  });
});
