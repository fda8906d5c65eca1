import {describe, expect, it} from 'vitest';
import type {ContainerState, HostConfig} from '../../../src/api/types/container.ts';
import {capabilityMask, resolveCapabilities} from '../../../src/engine/container/capabilities.ts';
import {parseHierarchies, parseMembership} from '../../../src/engine/container/cgroup-hierarchies.ts';
import {planCgroups} from '../../../src/engine/container/cgroups.ts';
import {deviceRules} from '../../../src/engine/container/device-rules.ts';
import {mergeImageConfig, processEnvironment} from '../../../src/engine/container/image-config.ts';
import {parseLogConfig} from '../../../src/engine/container/log-config.ts';
import type {Machine} from '../../../src/engine/container/machine.ts';
import {parseMounts} from '../../../src/engine/container/parse-mounts.ts';
import {parseSignal} from '../../../src/engine/container/signal.ts';
import {humanDuration, statusText} from '../../../src/engine/container/status-text.ts';
import {parseTmpfsOptions} from '../../../src/engine/container/tmpfs-options.ts';

const v1Mounts = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
34 31 0:31 / /sys/fs/cgroup/my\\040memory rw,relatime shared:7 - cgroup cgroup rw,memory
35 31 0:32 /docker/x /somewhere rw - cgroup cgroup rw,pids
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,xattr,devices
37 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
`;
const v2Mount = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n';

describe('cgroup hierarchies', () => {
  it('are found in v1, hybrid and v2', () => {
    const v1 = [
      {mount: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct']},
      {mount: '/sys/fs/cgroup/my memory', controllers: ['memory']},
      {mount: '/sys/fs/cgroup/devices', controllers: ['devices']},
      {mount: '/sys/fs/cgroup/pids', controllers: ['pids']},
      {mount: '/sys/fs/cgroup/systemd', controllers: ['name=systemd']},
    ];
    expect(parseHierarchies(v1Mounts)).toEqual({v1, v2: undefined});
    expect(parseHierarchies(v1Mounts + v2Mount)).toEqual({v1, v2: {mount: '/sys/fs/cgroup/unified'}});
    expect(parseHierarchies(v2Mount)).toEqual({v1: [], v2: {mount: '/sys/fs/cgroup/unified'}});
  });

  it('tell where a process is in somebody’s cgroup', () => {
    const membership =
      '5:pids:/\n4:memory:/user.slice\n2:cpu,cpuacct:/\n1:name=systemd:/user.slice/x:y\n0::/user.slice\n';
    expect([...parseMembership(membership, parseHierarchies(v1Mounts + v2Mount))]).toEqual([
      '/sys/fs/cgroup/my memory',
      '/sys/fs/cgroup/systemd',
      '/sys/fs/cgroup/unified',
    ]);
  });
});

function plan(
  mountinfo: string,
  host: HostConfig,
  own: readonly string[] = [],
  rules: readonly string[] | 'every' = deviceRules,
): string[] {
  const machine: Machine = {
    cgroups: parseHierarchies(mountinfo),
    ownCgroups: new Set(own),
    lastCapability: 40,
    kernel: [6, 1],
  };
  return planCgroups(machine, {cgroupParent: 'p', id: 'c'}, host, rules === 'every' ? undefined : rules).map(
    (operation) => {
      if (operation.kind === 'cgroupWrite')
        return `${operation.path} = ${operation.value}${operation.optional ? ' (optional)' : ''}`;
      return 'path' in operation ? `${operation.kind} ${operation.path}` : operation.kind;
    },
  );
}

function planDevices(mountinfo: string, rules: readonly string[] | 'every'): string[] {
  return plan(mountinfo, {}, [], rules).filter(
    (line) => line.includes('/devices.') || line.startsWith('cgroupDevices'),
  );
}

const limits: HostConfig = {Memory: 100e6, MemoryReservation: 50e6, NanoCpus: 1.5e9, CpuShares: 512, PidsLimit: 10};

describe('limits', () => {
  it('of v1 are written to their hierarchies', () => {
    const operations = plan(v1Mounts, limits, ['/sys/fs/cgroup/systemd']);
    expect(operations.filter((line) => line.startsWith('monitorCgroup'))).toEqual([
      'monitorCgroup /sys/fs/cgroup/systemd/p/monitors',
    ]);
    expect(operations.filter((line) => line.startsWith('cgroup '))).toHaveLength(5);
    expect(operations).toEqual(
      expect.arrayContaining([
        '/sys/fs/cgroup/my memory/p/c/memory.limit_in_bytes = 100000000',
        '/sys/fs/cgroup/my memory/p/c/memory.memsw.limit_in_bytes = 200000000 (optional)',
        '/sys/fs/cgroup/my memory/p/c/memory.soft_limit_in_bytes = 50000000',
        '/sys/fs/cgroup/cpu,cpuacct/p/c/cpu.shares = 512',
        '/sys/fs/cgroup/cpu,cpuacct/p/c/cpu.cfs_period_us = 100000',
        '/sys/fs/cgroup/cpu,cpuacct/p/c/cpu.cfs_quota_us = 150000',
        '/sys/fs/cgroup/pids/p/c/pids.max = 10',
        '/sys/fs/cgroup/devices/p/c/devices.deny = a',
        '/sys/fs/cgroup/devices/p/c/devices.allow = c 1:3 rwm',
      ]),
    );
    expect(operations.some((line) => line.startsWith('cgroupDevices'))).toBe(false);
  });

  it('of v2 are written to its files, with the controllers switched on above', () => {
    expect(plan(v2Mount, {...limits, MemorySwap: -1})).toEqual([
      'cgroup /sys/fs/cgroup/unified/p/c',
      ...['', '/p'].flatMap((level) =>
        ['cpu', 'memory', 'pids'].map(
          (name) => `/sys/fs/cgroup/unified${level}/cgroup.subtree_control = +${name} (optional)`,
        ),
      ),
      '/sys/fs/cgroup/unified/p/c/memory.max = 100000000',
      '/sys/fs/cgroup/unified/p/c/memory.swap.max = max (optional)',
      '/sys/fs/cgroup/unified/p/c/memory.low = 50000000',
      '/sys/fs/cgroup/unified/p/c/cpu.weight = 20',
      '/sys/fs/cgroup/unified/p/c/cpu.max = 150000 100000',
      '/sys/fs/cgroup/unified/p/c/pids.max = 10',
      'cgroupDevices /sys/fs/cgroup/unified/p/c',
    ]);
  });

  it('in hybrid are v1’s, and the container is in the v2 hierarchy all the same', () => {
    const operations = plan(v1Mounts + v2Mount, limits);
    expect(operations).toContain('cgroup /sys/fs/cgroup/unified/p/c');
    expect(operations.filter((line) => line.startsWith('/sys/fs/cgroup/unified/'))).toEqual([]);
  });

  it('on devices are none where every device may be used', () => {
    for (const mounts of [v1Mounts, v2Mount]) {
      expect(planDevices(mounts, 'every')).toEqual([]);
      expect(planDevices(mounts, deviceRules)).not.toEqual([]);
    }
  });

  it('on devices of both types are two lines of v1, where a line for both would allow everything', () => {
    expect(planDevices(v1Mounts, ['a 7:* r']).slice(1)).toEqual([
      '/sys/fs/cgroup/devices/p/c/devices.allow = c 7:* r',
      '/sys/fs/cgroup/devices/p/c/devices.allow = b 7:* r',
    ]);
  });

  it('that the kernel cannot keep are refused by name', () => {
    expect(() => plan(v1Mounts.replace(',memory\n', ',memory_gone\n'), limits)).toThrow(
      'cannot set memory.limit_in_bytes: the kernel has no cgroup controller "memory"',
    );
  });
});

describe('an image’s configuration', () => {
  it('is below the body’s', () => {
    const image = {
      Entrypoint: ['/entry'],
      Cmd: ['image'],
      Env: ['A=1', 'B=2'],
      Labels: {l: 'i', m: 'i'},
      User: 'u',
      WorkingDir: '/w',
      Healthcheck: {Test: ['CMD', 'x'], Interval: 5},
    };
    expect(mergeImageConfig({Env: ['B=3', 'A'], Labels: {l: 'b'}, Healthcheck: {Retries: 7}}, image)).toMatchObject({
      Entrypoint: ['/entry'],
      Cmd: ['image'],
      Env: ['B=3', 'A'],
      Labels: {l: 'b', m: 'i'},
      User: 'u',
      WorkingDir: '/w',
      Healthcheck: {Test: ['CMD', 'x'], Interval: 5, Retries: 7},
    });
    // An entrypoint puts the image's command aside; an empty one runs the command alone.
    expect(mergeImageConfig({Entrypoint: ['own']}, image)).toMatchObject({Entrypoint: ['own'], Cmd: null});
    expect(mergeImageConfig({Entrypoint: [''], Cmd: ['c']}, image)).toMatchObject({Entrypoint: null, Cmd: ['c']});
    expect(mergeImageConfig({Entrypoint: [], Cmd: ['c']}, image)).toMatchObject({Entrypoint: [], Cmd: ['c']});
    expect(() => mergeImageConfig({}, {})).toThrow('no command specified');
  });

  it('makes the process’s variables', () => {
    expect(processEnvironment({Tty: true, Env: ['PATH=/x', 'TERM', 'E=']}, 'h')).toEqual([
      'PATH=/x',
      'HOSTNAME=h',
      'E=',
    ]);
  });
});

describe('short things', () => {
  it('signals', () => {
    expect(['SIGTERM', 'term', '15', 'RTMIN+3', 'SIGRTMAX', 'SIGRTMAX-1'].map(parseSignal)).toEqual([
      '15',
      '15',
      '15',
      '37',
      '64',
      '63',
    ]);
    for (const wrong of ['', '0', '65', 'SIGNOPE', 'RTMIN+31', '-1'])
      expect(() => parseSignal(wrong)).toThrow(`invalid signal: ${wrong}`);
  });

  it('capabilities', () => {
    expect(capabilityMask(resolveCapabilities([], []), 40)).toBe('a80425fb');
    expect(capabilityMask(resolveCapabilities(['ALL'], ['CAP_SYS_ADMIN']), 40)).toBe('1ffffdfffff');
    expect(capabilityMask(resolveCapabilities(['ALL'], []), 37)).toBe('3fffffffff');
    expect(resolveCapabilities(['kill'], ['all'])).toEqual(['KILL']);
  });

  it('log options', () => {
    expect(parseLogConfig(undefined)).toEqual({file: {maxBytes: 0, maxFiles: 1}});
    expect(parseLogConfig({Config: {'max-size': '10m', 'max-file': '3'}})).toEqual({
      file: {maxBytes: 10 * 1024 * 1024, maxFiles: 3},
    });
    expect(parseLogConfig({Type: 'none'})).toEqual({});
    expect(() => parseLogConfig({Type: 'syslog'})).toThrow('this engine does not support the log driver "syslog"');
    expect(() => parseLogConfig({Config: {labels: 'x'}})).toThrow(
      'this engine does not support the option "labels" of the log driver "json-file"',
    );
  });

  it('tmpfs options', () => {
    expect(parseTmpfsOptions('/t', ['size=1m', 'exec', 'ro', 'mode=1777'])).toEqual({
      flags: 'nosuid,nodev,ro',
      data: 'size=1m,mode=1777',
    });
    expect(() => parseTmpfsOptions('/t', ['bind'])).toThrow('invalid tmpfs option for /t: "bind"');
  });

  it('mounts', () => {
    expect(
      parseMounts({Volumes: {'/a': {}, '/b/': {}}}, {Binds: ['vv:/a/:ro,nocopy', '/x//y:/c:rslave', '/d']}),
    ).toEqual([
      {kind: 'volume', name: 'vv', target: '/a', readOnly: true, copy: false, mode: 'ro,nocopy'},
      {
        kind: 'bind',
        source: '/x/y',
        target: '/c',
        readOnly: false,
        propagation: 'rslave',
        createSource: true,
        recursive: true,
        mode: 'rslave',
        mustExist: false,
      },
      {kind: 'volume', target: '/d', readOnly: false, copy: true, mode: ''},
      {kind: 'volume', target: '/b', readOnly: false, copy: true, mode: ''},
    ]);
    expect(() => parseMounts({}, {Binds: ['./x:/a']})).toThrow(
      '"./x" includes invalid characters for a local volume name',
    );
    expect(() => parseMounts({}, {Binds: ['/x:/']})).toThrow("destination can't be '/'");
  });

  it('statuses', () => {
    const at = Date.parse('2026-01-01T00:10:00Z');
    const state: ContainerState = {
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 1,
      ExitCode: 0,
      Error: '',
      StartedAt: '2026-01-01T00:00:00.5Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    };
    const exited = {...state, Running: false, ExitCode: 3, FinishedAt: '2026-01-01T00:09:59Z'};
    expect(statusText(state, at)).toBe('Up 9 minutes');
    expect(statusText({...state, Health: {Status: 'starting', FailingStreak: 0, Log: []}}, at)).toBe(
      'Up 9 minutes (health: starting)',
    );
    expect(statusText({...state, Restarting: true, ExitCode: 1, FinishedAt: '2026-01-01T00:09:50Z'}, at)).toBe(
      'Restarting (1) 10 seconds ago',
    );
    expect(statusText(exited, at)).toBe('Exited (3) 1 second ago');
    expect(statusText({...exited, StartedAt: '0001-01-01T00:00:00Z'}, at)).toBe('Created');
    expect(
      [0.5, 59, 60, 3599, 5400, 3600 * 47, 3600 * 48, 86400 * 14, 86400 * 61, 86400 * 800].map(humanDuration),
    ).toEqual([
      'Less than a second',
      '59 seconds',
      'About a minute',
      '59 minutes',
      '2 hours',
      '47 hours',
      '2 days',
      '2 weeks',
      '2 months',
      '2 years',
    ]);
  });
});
