import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {describe, expect, it} from 'vitest';
import {columns} from '../../../../src/engine/container/top/columns.ts';
import {type ProcessFacts, readProcess} from '../../../../src/engine/container/top/process.ts';
import {parsePsArguments} from '../../../../src/engine/container/top/ps-arguments.ts';

const sleeping: ProcessFacts = {
  pid: 70,
  parent: 1,
  group: 70,
  session: 70,
  name: 'sh',
  words: ['sh', '-c', 'a\nb'],
  state: 'S',
  terminal: 0,
  foreground: -1,
  nice: 0,
  threads: 1,
  userId: 999,
  groupId: 999,
  usedSeconds: 90_061.5,
  startedAt: Date.parse('2026-03-04T05:06:07') / 1000,
  virtualSize: 2048,
  residentSize: 1024,
  lockedSize: 0,
};
const surroundings = {
  now: Date.parse('2026-03-04T15:06:07') / 1000,
  machineMemory: 102_400,
  users: new Map([[999, 'systemd-journal']]),
};

describe('columns of a process', () => {
  const cell = (name: keyof typeof columns, process: Partial<ProcessFacts> = {}, at = surroundings) =>
    columns[name].cell({...sleeping, ...process}, at);

  it('show times as ps does', () => {
    expect(cell('time')).toBe('1-01:01:01');
    expect(cell('time', {usedSeconds: 61})).toBe('00:01:01');
    expect(cell('bsdtime', {usedSeconds: 661})).toBe('11:01');
    expect(cell('etime')).toBe('10:00:00');
    expect(cell('stime')).toBe('05:06');
    expect(cell('stime', {startedAt: Date.parse('2026-01-02T03:04:05') / 1000})).toBe('Jan02');
    expect(cell('stime', {startedAt: Date.parse('2025-12-31T23:59:59') / 1000})).toBe('2025');
  });

  it('show shares', () => {
    expect(cell('pcpu', {usedSeconds: 9000})).toBe('25.0');
    expect(cell('c', {usedSeconds: 9000})).toBe('25');
    expect(cell('c')).toBe('99');
    expect(cell('pmem')).toBe('1.0');
    // Started in this very second.
    expect(cell('pcpu', {startedAt: surroundings.now})).toBe('0.0');
  });

  it('show names that fit, and commands on one line', () => {
    expect(cell('user')).toBe('systemd+');
    expect(cell('user', {userId: 4242})).toBe('4242');
    expect(cell('args')).toBe('sh -c a?b');
    expect(cell('args', {words: []})).toBe('[sh]');
    expect(cell('args', {state: 'Z', words: []})).toBe('[sh] <defunct>');
  });

  it('show states and terminals', () => {
    expect(cell('stat')).toBe('Ss');
    expect(cell('stat', {session: 1, nice: 5, threads: 3, foreground: 70})).toBe('SNl+');
    expect(cell('tname', {terminal: 136 * 256 + 3})).toBe('pts/3');
    expect(cell('tname', {terminal: 4 * 256 + 1})).toBe('tty1');
    expect(cell('tname')).toBe('?');
  });
});

describe('facts of a process', () => {
  it('are those of a running program', async () => {
    const child = spawn('sh', ['-c', 'read line', 'a (b) c'], {stdio: ['pipe', 'ignore', 'ignore']});
    await once(child, 'spawn');
    try {
      const facts = readProcess(child.pid ?? 0, 0);
      expect(facts).toMatchObject({
        pid: child.pid,
        parent: process.pid,
        name: 'sh',
        words: ['sh', '-c', 'read line', 'a (b) c'],
        userId: process.getuid?.(),
        threads: 1,
      });
      expect(facts?.residentSize).toBeGreaterThan(0);
    } finally {
      child.stdin?.end();
      await once(child, 'exit');
    }
    expect(readProcess(child.pid ?? 0, 0)).toBeUndefined();
  });
});

describe('arguments of ps', () => {
  it.each([
    ['', 'UID PID PPID C STIME TTY TIME CMD'],
    ['-ef', 'UID PID PPID C STIME TTY TIME CMD'],
    ['-e -f', 'UID PID PPID C STIME TTY TIME CMD'],
    ['aux', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
    ['-aux', 'USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND'],
    ['-o pid,ppid', 'PID PPID'],
    ['-opid', 'PID'],
    ['-eo pid -o user=WHO,pid', 'PID WHO,pid'],
    ['axo pid,args', 'PID COMMAND'],
    ['--format=pid', 'PID'],
  ])('"%s" mean columns', (text, titles) => {
    expect(
      parsePsArguments(text)
        .map(({title}) => title)
        .join(' '),
    ).toBe(titles);
  });

  it.each([
    ['-Z', '-Z'],
    ['-eLf', '-eLf'],
    ['-ef --forest', '--forest'],
    ['-o pid,label', 'label'],
    ['-o', '-o'],
    ['-o constructor', 'constructor'],
  ])('"%s" are refused by name', (text, word) => {
    expect(() => parsePsArguments(text)).toThrow(
      expect.objectContaining({kind: 'unsupported', message: `ps_args: "${word}" is not supported`}),
    );
  });
});
