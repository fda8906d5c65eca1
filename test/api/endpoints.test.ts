import {describe, expect, it} from 'vitest';
import type {Endpoint} from '../../src/api/endpoint.ts';
import {endpoints} from '../../src/api/endpoints.ts';
import {expandPath, pathMatcher} from '../../src/api/path-template.ts';

const rows: readonly (readonly [string, Endpoint])[] = Object.entries(endpoints);

describe('endpoint rows', () => {
  it('are all there', () => {
    expect(rows.length).toBeGreaterThanOrEqual(32);
  });

  it.each(rows)('%s is the only row for its path', (name, {method, path}) => {
    const example = expandPath(path, {id: 'web', name: 'docker.io/library/redis:7'});
    const matching = rows.filter(([, row]) => row.method === method && pathMatcher(row.path)(example) !== undefined);
    expect(matching.map(([found]) => found)).toEqual([name]);
  });

  it.each(rows.filter(([, row]) => row.method === 'GET'))('%s takes no body', (_, {body}) => {
    expect(body.kind).toBe('none');
  });
});
