import {expect, it} from 'vitest';
import {accessLine} from '../../../src/server/registry/access-line.ts';

const line = (path: string, note?: string, user?: string) =>
  accessLine({
    ...{began: 0, now: 5, sent: 12},
    request: {method: 'PUT', path, query: new URLSearchParams({tag: 'a b'}), remote: '127.0.0.1'},
    answered: {response: {status: 201, headers: {}, ...(note === undefined ? {} : {note})}, user},
  });

it('tells who asked for what, and what else there is to say', () => {
  expect(line('/v2/a/manifests/1', 'kept, but not runnable here', 'ann')).toBe(
    '1970-01-01T00:00:00.000Z 127.0.0.1 ann "PUT /v2/a/manifests/1?tag=a+b" 201 12 B 5 ms: kept, but not runnable here',
  );
});

it('has nothing that ends the line, or that a terminal acts on', () => {
  const evil = 'a\u001b]0;title\u0007\u009b2J\u202e"\n201 forged';
  const written = line(`/v2/${evil}`, `it is ${evil}`, evil);
  expect(written).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(written).toContain('\\"');
});

it('cuts off a path without an end', () => {
  expect(line(`/v2/${'a'.repeat(5000)}`).length).toBeLessThan(600);
});
