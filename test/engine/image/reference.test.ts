import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {familiarReference, normaliseReference, parseReference} from '../../../src/engine/image/reference.ts';

const digest = `sha256:${'ab'.repeat(32)}`;

test.each([
  ['redis', 'docker.io/library/redis:latest', 'redis:latest'],
  ['redis:7', 'docker.io/library/redis:7', 'redis:7'],
  ['team/app', 'docker.io/team/app:latest', 'team/app:latest'],
  ['docker.io/redis', 'docker.io/library/redis:latest', 'redis:latest'],
  ['index.docker.io/library/redis', 'docker.io/library/redis:latest', 'redis:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/a/b:1', 'localhost:5000/a/b:1', 'localhost:5000/a/b:1'],
  ['ghcr.io/x/y-z__w.v', 'ghcr.io/x/y-z__w.v:latest', 'ghcr.io/x/y-z__w.v:latest'],
  ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
  [`redis:7@${digest}`, `docker.io/library/redis@${digest}`, `redis@${digest}`],
])('%s', (text, normalised, familiar) => {
  expect(normaliseReference(text)).toBe(normalised);
  expect(familiarReference(normalised)).toBe(familiar);
});

test.each([
  '',
  ':',
  '/',
  'a//b',
  'a/',
  '/a',
  'Upper',
  'a:',
  'a:b:c',
  'a:-x',
  `a:${'t'.repeat(129)}`,
  'a@sha256:12',
  'a b',
  '-a',
  'a_',
  'a..b',
  'ab'.repeat(32),
  `${'a'.repeat(256)}`,
])('refused: %s', (text) => {
  expect(() => parseReference(text)).toThrowError(expect.objectContaining({kind: 'invalid'}));
});

describe('a familiar name', () => {
  test('reads back as what it stands for', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    const name = fc.tuple(
      fc.constantFrom('', 'localhost:5000/', 'ghcr.io/', 'docker.io/'),
      fc.array(part, {minLength: 1, maxLength: 3}),
      fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
    );
    fc.assert(
      fc.property(name, ([registry, parts, tag]) => {
        const normalised = normaliseReference(`${registry}${parts.join('/')}:${tag}`);
        expect(normaliseReference(familiarReference(normalised))).toBe(normalised);
      }),
    );
  });
});
