import {rmSync} from 'node:fs';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {digestOf} from '../image/bed.ts';
import {makePullBed, type PullBed, type ScriptedRegistry, startScripted} from './hostile.ts';

let registry: ScriptedRegistry;
let bed: PullBed;
beforeEach(async () => {
  registry = await startScripted();
  bed = await makePullBed();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const reference = () => `${registry.host}/a:1`;
const layerPath = () => `/v2/a/blobs/${digestOf(registry.layer)}`;
const layerRanges = () => registry.requests.filter(({url}) => url === layerPath()).map(({headers}) => headers.range);
/** The first so many answers break off after so many bytes each. */
const breakOff = (times: number, after: number) => {
  let left = times;
  registry.answer = (request, response) => {
    if (request.url !== layerPath() || left === 0) return false;
    left -= 1;
    const start = Number(/=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    const {length} = registry.layer;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': length - start,
      ...(start > 0 ? {'content-range': `bytes ${start}-${length - 1}/${length}`} : {}),
    });
    response.write(registry.layer.subarray(start, start + after), () => response.destroy());
    return true;
  };
};

it('a connection that breaks is gone on with where it stopped, more often than it may fail in a row', async () => {
  breakOff(7, 300_000);
  await bed.pull(reference());
  const starts = layerRanges().map((range) => Number(/=(\d+)-/.exec(range ?? '=0-')?.[1]));
  expect(starts).toHaveLength(8);
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
  expect(starts.at(-1)).toBeGreaterThan(300_000);
});

it('a registry that does not know ranges sends all again, and nothing comes twice', async () => {
  breakOff(1, 1_000_000);
  const first = registry.answer;
  registry.answer = async (request, response) => {
    if (await first(request, response)) return true;
    if (request.url !== layerPath()) return false;
    response.writeHead(200, {'content-length': registry.layer.length}).end(registry.layer);
    return true;
  };
  await bed.pull(reference());
  expect(layerRanges().length).toBe(2);
});

it('a pull that was given up goes on at the next, from what had come', async () => {
  let stopped = false;
  const stop = new AbortController();
  registry.answer = (request, response) => {
    if (request.url !== layerPath() || stopped) return false;
    stopped = true;
    response.writeHead(200, {'content-length': registry.layer.length});
    response.write(registry.layer.subarray(0, 2_000_000));
    return true;
  };
  const pulling = bed.pull(reference(), {signal: stop.signal});
  const ingest = bed.images.layout.images.ingest(digestOf(registry.layer));
  const {stat} = await import('node:fs/promises');
  await expect.poll(async () => (await stat(ingest).catch(() => ({size: 0}))).size).toBeGreaterThan(1_000_000);
  stop.abort();
  await expect(pulling).rejects.toThrow();
  await bed.pull(reference());
  const last = Number(/=(\d+)-/.exec(layerRanges().at(-1) ?? '')?.[1]);
  expect(last).toBeGreaterThan(1_000_000);
  // The configuration was whole, and came once.
  expect(registry.requests.filter(({url}) => url.endsWith(registry.image.id))).toHaveLength(1);
});

it('an image that is there is only asked for by a HEAD', async () => {
  await bed.pull(reference());
  const before = registry.requests.length;
  const lines = await bed.pull(reference());
  expect(registry.requests.slice(before).map(({method, url}) => [method, url])).toEqual([
    ['HEAD', '/v2/a/manifests/1'],
  ]);
  expect(lines.at(-1)).toEqual({status: `Status: Image is up to date for ${reference()}`});
});

it('an image whose name was taken away meanwhile is pulled', async () => {
  await bed.pull(reference());
  registry.answer = ({method}) => {
    if (method === 'HEAD') rmSync(bed.images.layout.images.reference(reference()), {force: true});
    return false;
  };
  const lines = await bed.pull(reference());
  expect(lines.at(-1)).toEqual({status: `Status: Downloaded newer image for ${reference()}`});
});

it('a registry that is busy is asked again', async () => {
  let busy = 2;
  registry.answer = (request, response) => {
    if (request.url !== layerPath() || busy === 0) return false;
    busy -= 1;
    response.writeHead(busy === 1 ? 503 : 429, {'retry-after': '0'}).end();
    return true;
  };
  await bed.pull(reference());
  expect(layerRanges()).toHaveLength(3);
});

it('a limit of requests is told, with what helps', async () => {
  registry.answer = (request, response) => {
    if (request.method !== 'GET' || request.url !== '/v2/a/manifests/1') return false;
    const limits = {'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600', 'retry-after': '3600'};
    response.writeHead(429, limits);
    response.end('{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your limit"}]}');
    return true;
  };
  await expect(bed.pull(reference())).rejects.toMatchObject({
    kind: 'exhausted',
    message: `registry ${registry.host} refuses further requests for now: 100 are allowed in 6 h (You have reached your limit)`,
    hint: `try again in 60 min, log in (tscompose engine login ${registry.host}), or name a mirror in registries.json`,
  });
});
