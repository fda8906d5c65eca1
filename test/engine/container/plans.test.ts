import {describe, expect, it} from 'vitest';
import type {ContainerState} from '../../../src/api/types/container.ts';
import {capabilityMask, resolveCapabilities} from '../../../src/engine/container/capabilities.ts';
import {parseHierarchies, parseMembership} from '../../../src/engine/container/cgroup-hierarchies.ts';
import {mergeImageConfig, processEnvironment} from '../../../src/engine/container/image-config.ts';
import {parseLogConfig} from '../../../src/engine/container/log-config.ts';
import {parseMounts} from '../../../src/engine/container/parse-mounts.ts';
import {parseSignal} from '../../../src/engine/container/signal.ts';
import {humanDuration, statusText} from '../../../src/engine/container/status-text.ts';
import {parseTmpfsOptions} from '../../../src/engine/container/tmpfs-options.ts';
import {v1Mounts, v2Mount} from './machines.ts';

describe('cgroup hierarchies', () => {
  it('are found in v1, hybrid and v2', () => {
    const v1 = [
      {mount: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct']},
      {mount: '/sys/fs/cgroup/my memory', controllers: ['memory']},
      {mount: '/sys/fs/cgroup/devices', controllers: ['devices']},
      {mount: '/sys/fs/cgroup/pids', controllers: ['pids']},
      {mount: '/sys/fs/cgroup/cpuset', controllers: ['cpuset']},
      {mount: '/sys/fs/cgroup/blkio', controllers: ['blkio']},
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
    expect(parseLogConfig(undefined)).toEqual({file: {maxBytes: 0, maxFiles: 1}, bufferBytes: 0, options: {}});
    expect(parseLogConfig({Config: {'max-size': '10m', 'max-file': '3'}})).toMatchObject({
      file: {maxBytes: 10 * 1024 * 1024, maxFiles: 3},
    });
    const local = {file: {maxBytes: 20 * 1024 ** 2, maxFiles: 5}};
    expect(parseLogConfig({Type: 'local'})).toMatchObject(local);
    expect(parseLogConfig({Type: 'local', Config: {compress: 'true', mode: 'blocking'}})).toMatchObject(local);
    expect(parseLogConfig({Type: 'local', Config: {'max-size': '1k', 'max-file': '2'}})).toMatchObject({
      file: {maxBytes: 1024, maxFiles: 2},
    });
    expect(() => parseLogConfig({Config: {mode: 'non-blocking'}})).toThrow('does not support the mode "non-blocking"');
    expect(() => parseLogConfig({Config: {compress: 'true'}})).toThrow('does not support the option "compress"');
    expect(parseLogConfig({Type: 'none'}).file).toBeUndefined();
    expect(() => parseLogConfig({Type: 'gelf'})).toThrow('this engine does not support the log driver "gelf"');
    expect(() => parseLogConfig({Type: 'local', Config: {labels: 'x'}})).toThrow(
      'this engine does not support the option "labels" of the log driver "local"',
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
