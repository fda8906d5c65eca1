import {describe, expect, it} from 'vitest';
import {expandPath, pathMatcher} from '../../src/api/path-template.ts';

describe('path templates', () => {
  it('keep the slashes of an image name, and of nothing else', () => {
    expect(expandPath('/images/{+name}/json', {name: 'docker.io/library/redis:7@sha256:ab'})).toBe(
      '/images/docker.io/library/redis:7@sha256:ab/json',
    );
    expect(expandPath('/containers/{id}/json', {id: '../x y?z'})).toBe('/containers/..%2Fx%20y%3Fz/json');
  });

  it('read what they write', () => {
    for (const name of ['redis', 'a/b/json', 'a%b', 'ü/ß:1', '/lead']) {
      expect(pathMatcher('/images/{+name}/json')(expandPath('/images/{+name}/json', {name}))).toEqual({name});
    }
    expect(pathMatcher('/containers/{id}/json')('/containers/%2Fweb/json')).toEqual({id: '/web'});
  });

  it('do not match another path', () => {
    const match = pathMatcher('/containers/{id}/json');
    for (const path of [
      '/containers/json',
      '/containers/a/b/json',
      '/containers//json',
      '/containers/%/json',
      '/x/containers/a/json',
    ]) {
      expect(match(path)).toBeUndefined();
    }
  });
});
