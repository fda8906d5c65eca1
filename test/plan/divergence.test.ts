import {expect, test} from 'vitest';
import type {Json} from '../../src/base/canonical-json.ts';
import {compareSpecs} from '../../src/plan/divergence.ts';
import {isSecretField} from '../../src/plan/mask.ts';
import {canonicalSpec, parseSpec, type Spec} from '../../src/plan/spec.ts';

function changes(stored: Spec, desired: Spec, places: Readonly<Record<string, number>> = {}): string[] {
  const provenance = {
    at: (path: string) => (places[path] === undefined ? undefined : {file: '/f', line: places[path], column: 1}),
  };
  return compareSpecs({stored, desired, path: 'services.web', provenance}).map(
    ({field, before, after, source}) =>
      `${field}: ${before} => ${after}${source === undefined ? '' : ` @${source.line}`}`,
  );
}

test('elements of lists are named by what identifies them: one more at the front is one change', () => {
  const port = (target: number, published: string): Json => ({target, published, protocol: 'tcp'});
  expect(
    changes(
      {ports: [port(80, '8080')]},
      {ports: [port(443, '8443'), port(80, '8080')]},
      {'services.web.ports[0].target': 7},
    ),
  ).toEqual([
    'ports[443/tcp].protocol: undefined => tcp',
    'ports[443/tcp].published: undefined => 8443',
    'ports[443/tcp].target: undefined => 443 @7',
  ]);
  expect(changes({ports: [port(80, '1'), port(80, '2')]}, {ports: [port(80, '1'), port(80, '3')]})).toEqual([
    'ports[80/tcp#2].published: 2 => 3',
  ]);
  expect(
    changes(
      {volumes: [{type: 'bind', source: '/a', target: '/x.y'}]},
      {volumes: [{type: 'bind', source: '/b', target: '/x.y'}]},
    ),
  ).toEqual(['volumes[/x.y].source: /a => /b']);
});

test('values are shown as people write them', () => {
  expect(
    changes(
      {
        mem_limit: 268_435_456,
        stop_grace_period: 1e9,
        command: ['a', 'b c'],
        shm_size: 1000,
        secrets: [{target: '/s', mode: 0o440}],
      },
      {
        mem_limit: 536_870_912,
        stop_grace_period: 90e9,
        command: ['a'],
        shm_size: 2048,
        secrets: [{target: '/s', mode: 0o400}],
      },
    ),
  ).toEqual([
    'command: [a, "b c"] => [a]',
    'mem_limit: 256M => 512M',
    'secrets[/s].mode: 0440 => 0400',
    'shm_size: 1000 => 2K',
    'stop_grace_period: 1s => 1m30s',
  ]);
});

test('secret values never show, only that they are there and differ', () => {
  expect(
    changes(
      {
        environment: {DB_PASSWORD: 'old', URL: 'postgres://me:one@db/x', PATH: '/a'},
        secrets: [{target: '/run/secrets/a.b', digest: 'aa'}],
      },
      {
        environment: {DB_PASSWORD: 'new', URL: 'postgres://me:two@db/x', API_TOKEN: 't', PATH: '/a'},
        secrets: [{target: '/run/secrets/a.b', digest: 'bb'}],
      },
    ),
  ).toEqual([
    'environment.API_TOKEN: undefined => ‹set›',
    'environment.DB_PASSWORD: ‹set› => ‹set, changed›',
    'environment.URL: postgres://me:‹hidden›@db/x => postgres://me:‹hidden›@db/x ‹password changed›',
    'secrets[/run/secrets/a.b].digest: ‹set› => ‹set, changed›',
  ]);
  expect(
    ['environment.MONKEY', 'environment.KEYBOARD_LAYOUT', 'environment.PASSTHROUGH', 'user'].filter(isSecretField),
  ).toEqual([]);
  expect(
    ['environment.AWS_SECRET_ACCESS_KEY', 'environment.token', 'environment.PGPASSWORD', 'labels.auth'].filter(
      isSecretField,
    ),
  ).toHaveLength(4);
});

test('a spec that cannot be read, or is of a later version, is none', () => {
  expect(parseSpec(undefined)).toBeUndefined();
  expect(parseSpec('{"v":1,"image":"a"}')).toEqual({image: 'a'});
  expect(parseSpec('{"v":2,"image":"a"}')).toBeUndefined();
  expect(parseSpec('{"v":1')).toBeUndefined();
  expect(parseSpec('[1]')).toBeUndefined();
  expect(canonicalSpec({v: 1, user: '1'})).toEqual({user: '1'});
});
