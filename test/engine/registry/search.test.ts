import {expect, it} from 'vitest';
import {searchRegistry} from '../../../src/engine/registry/search.ts';
import {listTags} from '../../../src/engine/registry/tags.ts';
import {answering} from './answering.ts';

const {signal} = new AbortController();

it('Docker Hub is searched where it is searched, not where it is pulled from', async () => {
  const {connection, asked} = answering('docker.io', [
    {
      body: {
        num_results: 2,
        results: [
          {name: 'redis', description: 'a store', star_count: 13_000, is_official: true, is_automated: false},
          {name: 'team/redis', description: null, star_count: 'many', pull_count: 5},
          {description: 'without a name'},
        ],
      },
    },
  ]);
  expect(await searchRegistry(connection, {term: 'redis', limit: 25, signal})).toEqual([
    {name: 'redis', description: 'a store', star_count: 13_000, is_official: true, is_automated: false},
    {name: 'team/redis', description: '', star_count: 0, is_official: false, is_automated: false},
  ]);
  expect(asked).toEqual(['https://index.docker.io/v1/search?q=redis&n=25']);
});

it('another registry is searched by itself, else by its catalog, to the end of that', async () => {
  const {connection, asked} = answering('registry.test', [
    {status: 404, body: {}},
    {body: {repositories: ['app', 'shop/app']}, link: '</v2/_catalog?last=shop%2Fapp>; rel="next"'},
    {body: {repositories: ['shop/application', 'zoo']}},
  ]);
  const found = await searchRegistry(connection, {term: 'shop/', limit: 25, signal});
  expect(found.map(({name}) => name)).toEqual(['shop/app', 'shop/application']);
  expect(asked).toEqual(['/v1/search?q=shop%2F&n=25', '/v2/_catalog?n=1000', '/v2/_catalog?n=1000&last=shop%2Fapp']);
});

it('tags are listed to the end, also where the registry gives fewer at a time than were asked for', async () => {
  const {connection} = answering('registry.test', [
    {body: {tags: ['1', '2']}, link: '</v2/app/tags/list?n=2&last=2>; rel="next"'},
    {body: {tags: ['3']}},
  ]);
  expect(await listTags(connection, 'app', signal)).toEqual(['1', '2', '3']);
});
