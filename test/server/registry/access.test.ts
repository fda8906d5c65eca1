import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {hashSync} from 'bcryptjs';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openPasswordFile} from '../../../src/server/registry/password-file.ts';
import {createTokenSigner} from '../../../src/server/registry/tokens.ts';
import {eventually} from '../../support/host.ts';
import {type BedOptions, makeRegistry, type RegistryBed, refusalOf, registryName, sha256} from './bed.ts';

let directory: string;
let file: string;
let clock = Date.UTC(2026, 0, 1);

const line = (user: string, password: string, kind = '2b') =>
  `${user}:${hashSync(password, 4).replace('$2b$', `$${kind}$`)}\n`;
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-access-'));
  file = join(directory, 'users');
  writeFileSync(file, `# people\n\n${line('ann', 'söme:thing', '2y')}${line('bob', '')}`);
});

afterAll(() => rmSync(directory, {recursive: true}));

async function make(options: BedOptions = {}): Promise<RegistryBed> {
  return await makeRegistry({passwords: await openPasswordFile(file), ...options});
}

function makeTokens() {
  return createTokenSigner({now: () => clock, host: registryName});
}

test('with passwords nothing is told to who has none', async () => {
  await using bed = await make();
  const paths = [
    ['GET', '/v2/'],
    ['GET', '/v2/_catalog'],
    ['GET', '/v1/search?q='],
    ['GET', '/v2/app/tags/list'],
    ['GET', '/v2/app/manifests/v1'],
    ['PUT', '/v2/app/manifests/v1'],
    ['POST', '/v2/app/blobs/uploads/'],
    ['DELETE', `/v2/app/blobs/${sha256('')}`],
  ] as const;
  const wrong = [
    {},
    basic('ann', 'wrong'),
    basic('nobody', 'söme:thing'),
    {authorization: 'Basic !'},
    {authorization: 'Bearer x'},
  ];
  for (const [method, path] of paths) {
    for (const headers of wrong) {
      const reply = await bed.send(method, path, {headers});
      expect([path, ...refusalOf(reply)]).toEqual([path, 401, 'UNAUTHORIZED']);
      expect(reply.headers['www-authenticate']).toBe('Basic realm="tscompose registry", charset="UTF-8"');
    }
  }
  for (const headers of [basic('ann', 'söme:thing'), basic('bob', '')]) {
    expect((await bed.send('GET', '/v2/', {headers})).status).toBe(200);
    expect((await bed.send('POST', '/v2/app/blobs/uploads/', {headers})).status).toBe(202);
  }
  await eventually(() => expect(bed.log.at(-1)).toContain(' bob "POST /v2/app/blobs/uploads/" 202 '));
});

test('users come and go with the file; a file that is wrong changes nothing, and does not start', async () => {
  const own = join(directory, 'changing');
  writeFileSync(own, line('ann', 'first'));
  await using bed = await makeRegistry({passwords: await openPasswordFile(own)});
  const status = async (user: string, password: string) =>
    (await bed.send('GET', '/v2/', {headers: basic(user, password)})).status;
  expect(await status('ann', 'first')).toBe(200);
  writeFileSync(own, `${line('ann', 'second')}${line('eve', 'new')}`);
  expect([await status('ann', 'first'), await status('ann', 'second'), await status('eve', 'new')]).toEqual([
    401, 200, 200,
  ]);
  writeFileSync(own, 'ann:plain text\n');
  expect(await status('ann', 'second')).toBe(200);
  await expect(openPasswordFile(own)).rejects.toMatchObject({
    kind: 'invalid',
    message: `${own}:1: this is no user with a bcrypt hash`,
    hint: 'write it by: htpasswd -nB USER',
  });
  await expect(openPasswordFile(join(directory, 'absent'))).rejects.toMatchObject({kind: 'notFound'});
});

test('who is not known may pull where that is wanted, and no more', async () => {
  await using bed = await make({anonymousPull: true});
  const headers = basic('ann', 'söme:thing');
  await bed.send('POST', `/v2/app/blobs/uploads/?digest=${sha256('x')}`, {headers, body: 'x'});
  expect((await bed.send('GET', `/v2/app/blobs/${sha256('x')}`)).body.toString()).toBe('x');
  expect((await bed.send('GET', `/v2/app/blobs/${sha256('x')}`, {headers: basic('', '')})).body.toString()).toBe('x');
  expect((await bed.send('GET', '/v2/_catalog')).status).toBe(200);
  expect((await bed.send('GET', '/v2/')).status).toBe(401);
  expect((await bed.send('POST', '/v2/app/blobs/uploads/')).status).toBe(401);
  expect((await bed.send('DELETE', `/v2/app/blobs/${sha256('x')}`)).status).toBe(401);
  // A password that is wrong is not the same as none.
  expect((await bed.send('GET', `/v2/app/blobs/${sha256('x')}`, {headers: basic('ann', 'no')})).status).toBe(401);
});

test('a registry that is for reading refuses the rest, also to who is known', async () => {
  await using bed = await make({readOnly: true});
  const headers = basic('ann', 'söme:thing');
  expect((await bed.send('GET', '/v2/_catalog', {headers})).status).toBe(200);
  for (const [method, path] of [
    ['POST', '/v2/app/blobs/uploads/'],
    ['DELETE', '/v2/app/manifests/v1'],
  ] as const)
    expect(refusalOf(await bed.send(method, path, {headers}))).toEqual([403, 'DENIED']);
});

test('a web page that its reader looks at changes nothing', async () => {
  await using bed = await makeRegistry();
  const headers = {origin: 'http://127.0.0.1:5000'};
  for (const [method, path] of [
    ['POST', `/v2/app/blobs/uploads/?digest=${sha256('x')}`],
    ['PUT', '/v2/app/manifests/v1'],
    ['DELETE', '/v2/app/manifests/v1'],
  ] as const)
    expect(refusalOf(await bed.send(method, path, {headers, body: 'x'}))).toEqual([403, 'DENIED']);
  expect((await bed.send('GET', '/v2/_catalog', {headers})).status).toBe(200);
});

test('many passwords at once are not all tried', async () => {
  const slow = join(directory, 'slow');
  writeFileSync(slow, `ann:${hashSync('söme:thing', 8)}\n`);
  const passwords = await openPasswordFile(slow);
  const tried = await Promise.allSettled(
    Array.from({length: 300}, (_, index) => passwords.verify('ann', `guess ${index}`)),
  );
  const refused = tried.filter(({status}) => status === 'rejected');
  expect(refused.length).toBeGreaterThan(0);
  expect(refused[0]).toMatchObject({reason: {kind: 'exhausted', message: 'too many passwords are being checked'}});
  expect(await passwords.verify('ann', 'söme:thing')).toBe(true);
  await using bed = await makeRegistry({
    passwords: {
      verify: () =>
        passwords
          .verify('ann', 'any')
          .then(() => Promise.reject(refused[0] && (refused[0] as PromiseRejectedResult).reason)),
    },
  });
  const reply = await bed.send('GET', '/v2/', {headers: basic('ann', 'any')});
  expect([...refusalOf(reply), reply.headers['retry-after']]).toEqual([429, 'TOOMANYREQUESTS', '1']);
});

interface Given {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
}

test('tokens: for a password, for what was asked, for a while, and only as they were signed', async () => {
  await using bed = await make({tokens: makeTokens(), anonymousPull: true});
  const asked = await bed.send('GET', '/v2/team/app/manifests/v1', {headers: {authorization: 'Bearer none'}});
  const challenge = asked.headers['www-authenticate'] ?? '';
  expect(challenge).toBe(
    `Bearer realm="http://127.0.0.1:${bed.listener.port}/token",service="tscompose registry",scope="repository:team/app:pull"`,
  );
  expect((await bed.send('POST', '/v2/team/app/blobs/uploads/')).headers['www-authenticate']).toContain(
    'scope="repository:team/app:pull,push"',
  );
  const give = async (query: string, headers = {}) => await bed.send('GET', `/token?service=x&${query}`, {headers});
  const tokenOf = async (query: string, headers = {}) => {
    const {token, access_token, expires_in} = (await give(query, headers)).json() as Given;
    expect([access_token, expires_in]).toEqual([token, 300]);
    return {authorization: `Bearer ${token}`};
  };
  const ann = basic('ann', 'söme:thing');
  const push = await tokenOf('scope=repository:team/app:pull,push&scope=repository:team/other:pull', ann);
  const upload = (repository: string, headers: object) =>
    bed.send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(repository)}`, {
      headers: {...headers},
      body: repository,
    });
  expect((await upload('team/app', push)).status).toBe(201);
  expect(refusalOf(await upload('team/other', push))).toEqual([401, 'UNAUTHORIZED']);
  expect((await bed.send('DELETE', `/v2/team/app/blobs/${sha256('team/app')}`, {headers: push})).status).toBe(401);
  expect((await bed.send('GET', '/v2/', {headers: push})).status).toBe(200);
  // Nobody's token: pulling is allowed, pushing is not in it though it was asked for.
  const anybody = await tokenOf('scope=repository:team/app:pull,push');
  expect((await bed.send('GET', `/v2/team/app/blobs/${sha256('team/app')}`, {headers: anybody})).status).toBe(200);
  expect((await upload('team/app', anybody)).status).toBe(401);
  expect((await give('scope=repository:team/app:pull', basic('ann', 'wrong'))).status).toBe(401);
  // A mount reads from where the token does not lead only if it may.
  const mount = await bed.send('POST', `/v2/team/app/blobs/uploads/?mount=${sha256('team/app')}&from=team/secret`, {
    headers: push,
  });
  expect(mount.status).toBe(202);
  const form =
    'grant_type=password&service=x&username=ann&password=s%C3%B6me%3Athing&scope=registry:catalog:*%20repository:a:pull';
  const granted = await bed.send('POST', '/token', {
    body: form,
    headers: {'content-type': 'application/x-www-form-urlencoded'},
  });
  const catalog = {authorization: `Bearer ${(granted.json() as Given).token}`};
  expect((await bed.send('GET', '/v2/_catalog', {headers: catalog})).status).toBe(200);
  expect((await bed.send('GET', '/v2/_catalog', {headers: push})).status).toBe(401);
  expect((await bed.send('POST', '/token', {body: 'grant_type=refresh_token'})).status).toBe(400);
  const parts = push.authorization.slice('Bearer '.length).split('.');
  const forged = Buffer.from(
    Buffer.from(parts[1] ?? '', 'base64url')
      .toString()
      .replaceAll('team/other', 'team/thing'),
  ).toString('base64url');
  for (const token of [
    `${parts[0]}.${forged}.${parts[2]}`,
    `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${parts[1]}.`,
    `${parts[0]}.${parts[1]}.`,
    `${parts[0]}.${parts[1]}.${parts[2]}x`,
    'x.y',
  ]) {
    expect((await bed.send('GET', '/v2/', {headers: {authorization: `Bearer ${token}`}})).status).toBe(401);
  }
  clock += 300_000;
  expect((await bed.send('GET', '/v2/', {headers: push})).status).toBe(401);
});
