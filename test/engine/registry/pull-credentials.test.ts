import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {TscomposeError} from '../../../src/base/errors.ts';
import {digestOf} from '../image/bed.ts';
import {makePullBed, type PullBed, type ScriptedRegistry, startScripted} from './hostile.ts';

let registry: ScriptedRegistry;
let other: ScriptedRegistry;
let bed: PullBed;
beforeEach(async () => {
  registry = await startScripted();
  other = await startScripted();
  bed = await makePullBed();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const credential = {username: 'ada', password: 'lovelace'};
const basic = `Basic ${Buffer.from('ada:lovelace').toString('base64')}`;
const reference = () => `${registry.host}/a:1`;
const layerPath = () => `/v2/a/blobs/${digestOf(registry.layer)}`;
const failure = async () =>
  await bed.pull(reference(), {credential}).then(
    () => Promise.reject(new Error('it was pulled')),
    ({kind, message}: TscomposeError) => ({kind, message}),
  );
/** A registry that wants a token of `realm` for everything, or of the answer to a challenge. */
const wantToken = (realm: string) => {
  registry.answer = (request, response) => {
    if (request.url?.startsWith('/token')) return false;
    if (request.headers.authorization === 'Bearer good') return false;
    const challenge = `Bearer realm="${realm}",service="here",scope="repository:a:pull"`;
    response.writeHead(401, {'www-authenticate': challenge}).end();
    return true;
  };
};

describe('tokens', () => {
  it('are asked for with the scope that is needed, once for all that goes on', async () => {
    wantToken(`http://${registry.host}/token?kept=1`);
    const token = {type: 'application/json', bytes: Buffer.from('{"token":"good","expires_in":300}')};
    const path = '/token?kept=1&service=here&scope=repository%3Aa%3Apull&account=ada';
    registry.files.set(path, token);
    await bed.pull(reference(), {credential});
    const asked = registry.requests.filter(({url}) => url.startsWith('/token'));
    expect(asked.map(({url, headers}) => [url, headers.authorization])).toEqual([[path, basic]]);
    // The password went nowhere else.
    const rest = registry.requests.filter(({url}) => !url.startsWith('/token'));
    expect(rest.map(({headers}) => headers.authorization)).not.toContain(basic);
  });

  it.each([
    ['ftp://example.org/token', 'only https is safe for that'],
    ['https://169.254.169.254/latest/meta-data', "an address inside of this machine's network"],
    ['https://user:secret@example.org/token', 'an address with a password in it'],
    ['no address', 'asks for a token of no valid address'],
  ])('of %s are not asked for', async (realm, message) => {
    wantToken(realm);
    expect((await failure()).message).toContain(message);
  });

  it.each([
    ['{"token":"with\\r\\nlines"}', 'answered without a token'],
    ['{}', 'answered without a token'],
    ['[1]', 'the token is not a JSON object'],
    ['<html>', 'the token is not JSON'],
  ])('that are none (%s) are refused', async (text, message) => {
    wantToken(`http://${registry.host}/token`);
    const path = '/token?service=here&scope=repository%3Aa%3Apull&account=ada';
    registry.files.set(path, {type: 'application/json', bytes: Buffer.from(text)});
    expect((await failure()).message).toContain(message);
  });

  it('that never help end it', async () => {
    registry.answer = (request, response) => {
      if (request.url?.startsWith('/token')) {
        response.end('{"token":"never-good"}');
        return true;
      }
      response.writeHead(401, {'www-authenticate': `Bearer realm="http://${registry.host}/token"`}).end();
      return true;
    };
    expect(await failure()).toEqual({
      kind: 'unauthorized',
      message: `registry ${registry.host}: the credentials are not accepted`,
    });
    expect(registry.requests.length).toBeLessThan(10);
  });
});

it('a password is sent where the registry asks for one', async () => {
  registry.answer = (request, response) => {
    if (request.headers.authorization === basic) return false;
    response.writeHead(401, {'www-authenticate': 'Basic realm="test"'}).end();
    return true;
  };
  await bed.pull(reference(), {credential});
  await expect(bed.pull(`${registry.host}/b:1`)).rejects.toMatchObject({
    kind: 'unauthorized',
    message: `registry ${registry.host}: no basic auth credentials`,
    hint: `log in: tscompose engine login ${registry.host}`,
  });
});

describe('redirects', () => {
  const redirectLayer = (location: string) => {
    registry.answer = (request, response) => {
      if (request.headers.authorization !== basic) {
        response.writeHead(401, {'www-authenticate': 'Basic realm="test"'}).end();
        return true;
      }
      if (request.url !== layerPath()) return false;
      response.writeHead(307, {location}).end();
      return true;
    };
  };

  it('to another place bring the content from there, and no credentials to it', async () => {
    redirectLayer(`http://${other.host}/storage?signature=1`);
    other.files.set('/storage?signature=1', {type: '', bytes: registry.layer});
    await bed.pull(reference(), {credential});
    expect(other.requests.map(({url, headers}) => [url, headers.authorization])).toEqual([
      ['/storage?signature=1', undefined],
    ]);
  });

  it('to another place that asks for credentials get none', async () => {
    redirectLayer(`http://${other.host}/storage`);
    other.answer = (_request, response) => {
      response.writeHead(401, {'www-authenticate': `Basic realm="give me"`}).end();
      return true;
    };
    expect((await failure()).kind).toBe('unauthorized');
    expect(other.requests.filter(({headers}) => headers.authorization !== undefined)).toEqual([]);
  });

  it.each([
    ['file:///etc/passwd', 'only https is safe for that'],
    ['http://169.254.169.254/latest/meta-data', "an address inside of this machine's network"],
    ['http://ada:secret@127.0.0.1:1/x', 'an address with a password in it'],
    ['http://', 'sends us to no valid address'],
  ])('to %s are not followed', async (location, message) => {
    redirectLayer(location);
    expect((await failure()).message).toContain(message);
  });

  it('without an end are left', async () => {
    redirectLayer(layerPath());
    expect(await failure()).toEqual({
      kind: 'invalid',
      message: `registry ${registry.host} sends us from place to place without an end`,
    });
  });
});
