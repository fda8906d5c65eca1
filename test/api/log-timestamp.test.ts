import {describe, expect, it} from 'vitest';
import {addTimestamp, splitTimestamp} from '../../src/api/log-timestamp.ts';

describe('log timestamps', () => {
  it('have nine decimals whatever they are made from', () => {
    for (const [time, written] of [
      ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000000Z'],
      ['2026-01-02T03:04:05.5Z', '2026-01-02T03:04:05.500000000Z'],
      ['2026-01-02T03:04:05.123456789+01:00', '2026-01-02T03:04:05.123456789+01:00'],
    ] as const) {
      const line = addTimestamp(time, Buffer.from('hello\n'));
      expect(Buffer.from(line).toString()).toBe(`${written} hello\n`);
      const split = splitTimestamp(line);
      expect(split?.time).toBe(written);
      expect(Buffer.from(split?.data ?? []).toString()).toBe('hello\n');
    }
  });

  it('are not found where there is none', () => {
    expect(splitTimestamp(Buffer.from('2026-01-02 hello'))).toBeUndefined();
    expect(splitTimestamp(Buffer.from('2026-01-02T03:04:05.5Z hello'))).toBeUndefined();
    expect(splitTimestamp(Buffer.alloc(0))).toBeUndefined();
  });
});
