import {expect, it} from 'vitest';
import type {Engine} from '../../src/engine/engine.ts';
import type {PullOptions, PushOptions, SearchOptions} from '../../src/engine/registry/registry.ts';
import {createServer} from '../../src/server/handle.ts';
import type {ServerRequest} from '../../src/server/request.ts';
import {fakeEngine} from './fake-engine.ts';

const header = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const ada = {username: 'ada', password: 'ü/?'};

async function* lines() {
  yield {status: 'done'};
}

function handle(registry: Partial<Engine['registry']>, request: ServerRequest) {
  return createServer(fakeEngine({registry}), {version: '1'}).handle(request);
}

it.each([
  [{fromImage: 'redis', tag: '7'}, {reference: 'redis:7'}],
  [{fromImage: 'redis:7'}, {reference: 'redis:7', allTags: false}],
  [{fromImage: 'localhost:5000/redis'}, {reference: 'localhost:5000/redis', allTags: true}],
  [{fromImage: 'redis', tag: 'sha256:00'}, {reference: 'redis@sha256:00'}],
  [{fromImage: 'localhost:5000/redis:6', tag: '7'}, {reference: 'localhost:5000/redis:7'}],
  [{fromImage: 'redis:6@sha256:00', tag: 'sha256:11'}, {reference: 'redis@sha256:11'}],
  [
    {fromImage: 'redis', tag: '7', platform: 'linux/arm64'},
    {reference: 'redis:7', platform: 'linux/arm64'},
  ],
])('POST /images/create with %j pulls %j', async (query, wanted) => {
  const asked: PullOptions[] = [];
  const pull = (options: PullOptions) => {
    asked.push(options);
    return lines();
  };
  const headers = {'x-registry-auth': header(ada)};
  const answer = await handle({pull}, {method: 'POST', path: '/v1.47/images/create', query, headers});
  expect(answer.status).toBe(200);
  expect(asked).toMatchObject([{...wanted, auth: ada}]);
});

it.each([
  [{tag: '3'}, {tag: '3', platform: undefined}],
  [{}, {tag: undefined}],
  [{tag: '3', platform: '{"os":"linux","architecture":"arm","variant":"v7"}'}, {platform: 'linux/arm/v7'}],
])('POST /images/NAME/push with %j pushes %j', async (query: Record<string, string>, wanted) => {
  const asked: PushOptions[] = [];
  const push = (options: PushOptions) => {
    asked.push(options);
    return lines();
  };
  const headers = {'x-registry-auth': header({})};
  const path = '/images/localhost:5000/shop/web/push';
  expect((await handle({push}, {method: 'POST', path, query, headers})).status).toBe(200);
  expect(asked).toMatchObject([{repository: 'localhost:5000/shop/web', auth: {}, ...wanted}]);
});

it('GET /images/search knows its limits', async () => {
  const asked: SearchOptions[] = [];
  const search = async (options: SearchOptions) => {
    asked.push(options);
    return [];
  };
  const ask = async (query: Record<string, string>) =>
    (await handle({search}, {method: 'GET', path: '/images/search', query})).status;
  expect(await ask({term: 'redis'})).toBe(200);
  expect(await ask({term: 'redis', limit: '3', filters: '{"stars":["2"]}'})).toBe(200);
  expect(asked).toEqual([
    {term: 'redis', limit: 25, filters: undefined, auth: {}},
    {term: 'redis', limit: 3, filters: {stars: ['2']}, auth: {}},
  ]);
  expect([await ask({}), await ask({term: 'redis', limit: '101'}), await ask({term: 'redis', limit: '-1'})]).toEqual([
    400, 400, 400,
  ]);
});

it.each([
  ['not base64 of JSON', 'invalid X-Registry-Auth header: it is not base64 of JSON'],
  [Buffer.from('[]').toString('base64url'), 'invalid X-Registry-Auth header: it is not an object'],
])('a damaged X-Registry-Auth (%s) is refused', async (value, message) => {
  const path = '/distribution/redis/json';
  expect(await handle({}, {method: 'GET', path, headers: {'x-registry-auth': value}})).toMatchObject({
    status: 400,
    body: {json: {message}},
  });
});

it('an X-Registry-Auth of null says that there are no credentials', async () => {
  const inspect = async ({auth}: {readonly auth: unknown}) => ({auth}) as never;
  const answer = await handle(
    {inspect},
    {method: 'GET', path: '/distribution/redis/json', headers: {'x-registry-auth': header(null)}},
  );
  expect(answer).toMatchObject({status: 200, body: {json: {auth: {}}}});
});

it('POST /auth hands over what it was given', async () => {
  const login = async (auth: unknown) => ({Status: JSON.stringify(auth), IdentityToken: ''});
  const answer = await handle({login}, {method: 'POST', path: '/auth', body: {json: {...ada, serveraddress: 'there'}}});
  expect(answer).toMatchObject({status: 200, body: {json: {Status: JSON.stringify({...ada, serveraddress: 'there'})}}});
});
