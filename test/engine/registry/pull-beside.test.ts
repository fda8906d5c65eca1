import {afterEach, beforeEach, expect, it} from 'vitest';
import type {TscomposeError} from '../../../src/base/errors.ts';
import {digestOf} from '../image/bed.ts';
import {indexType, makePullBed, manifestType, type PullBed, type ScriptedRegistry, startScripted} from './hostile.ts';

interface Made {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

let registry: ScriptedRegistry;
let bed: PullBed;
beforeEach(async () => {
  registry = await startScripted(10_000);
  bed = await makePullBed();
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const own = () => ({
  mediaType: manifestType,
  digest: digestOf(registry.manifest),
  size: registry.manifest.length,
  platform: {os: 'linux', architecture: 'amd64'},
});

function put(kind: 'manifests' | 'blobs', value: object, mediaType: string): Made {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = digestOf(bytes);
  registry.files.set(`/v2/a/${kind}/${digest}`, {type: mediaType, bytes});
  return {mediaType, digest, size: bytes.length};
}

/** What somebody says about the image. `size`: of what it says, whatever it really has. */
function attest(text: string, size?: number): Made & {readonly platform: object; readonly annotations: object} {
  const config = put('blobs', {about: text}, 'application/vnd.oci.image.config.v1+json');
  const statement = put('blobs', {statement: text}, 'application/vnd.in-toto+json');
  const layers = [{...statement, size: size ?? statement.size}];
  return {
    ...put('manifests', {schemaVersion: 2, mediaType: manifestType, config, layers}, manifestType),
    platform: {os: 'unknown', architecture: 'unknown'},
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': digestOf(registry.manifest),
    },
  };
}

function index(manifests: readonly object[]): Made {
  const made = put('manifests', {schemaVersion: 2, mediaType: indexType, manifests}, indexType);
  const file = registry.files.get(`/v2/a/manifests/${made.digest}`);
  if (file) registry.files.set('/v2/a/manifests/1', file);
  return made;
}

const pull = (allPlatforms = false) => bed.pull(`${registry.host}/a:1`, {allPlatforms});
const failure = (allPlatforms?: boolean) =>
  pull(allPlatforms).then(
    () => Promise.reject(new Error('it was pulled')),
    (error: TscomposeError) => error.message.replaceAll(registry.host, 'HOST'),
  );
const blobs = () => bed.images.content().blobs.map((hex) => `sha256:${hex}`);
const askedFor = ({digest}: Made) => registry.requests.filter(({url}) => url.includes(digest)).length;

it('what is attested of an image comes with it, and not what is said of another', async () => {
  const mine = attest('mine');
  const other = attest('other');
  const about = {...other.annotations, 'vnd.docker.reference.digest': digestOf('another image')};
  index([own(), mine, {...other, annotations: about}]);
  await pull();
  expect(blobs()).toContain(mine.digest);
  expect(askedFor(other)).toBe(0);
});

it('statements without end, or larger than any are, stay where they are', async () => {
  const large = attest('large', 100 * 1024 * 1024);
  const many = Array.from({length: 20}, (_, number) => attest(String(number)));
  index([own(), large, ...many]);
  await pull();
  expect(blobs()).not.toContain(large.digest);
  expect(many.filter((one) => askedFor(one) > 0)).toHaveLength(7);
  expect((await bed.images.store.images.inspect(`${registry.host}/a:1`)).Id).toBe(registry.image.id);
});

it('a statement that is not what its digest or size says refuses the image', async () => {
  const mine = attest('mine');
  index([own(), {...mine, size: mine.size + 1}]);
  expect(await failure()).toContain(`has ${mine.size} bytes, where its index says ${mine.size + 1}`);
  index([own(), mine]);
  registry.files.set(`/v2/a/manifests/${mine.digest}`, {type: manifestType, bytes: registry.manifest});
  expect(await failure()).toContain('is not what it says: its content is');
  index([own(), attest('longer', 3)]);
  expect(await failure()).toContain('it has 22 bytes to send where 3 were promised');
  expect(bed.images.content()).toMatchObject({records: [], references: []});
});

it('with all platforms, a circle of indexes and a tree without end are left', async () => {
  const loop = index([own()]);
  // An index that names another one that is said to be that very index again.
  const inner = put('manifests', {schemaVersion: 2, mediaType: indexType, manifests: [loop]}, indexType);
  index([own(), {...loop, platform: undefined}, {...inner, platform: undefined}]);
  await pull(true);
  expect(blobs()).toEqual(expect.arrayContaining([loop.digest, inner.digest]));
  expect(askedFor(loop)).toBe(1);

  const leaves = Array.from({length: 40}, (_, outer) =>
    put(
      'manifests',
      {
        ...{schemaVersion: 2, mediaType: indexType},
        manifests: Array.from({length: 40}, (_each, at) => ({...own(), digest: digestOf(`${outer} ${at}`)})),
      },
      indexType,
    ),
  );
  index([own(), ...leaves]);
  registry.requests.splice(0);
  expect(await failure(true)).toBe('a: its indexes lead to more than 1000 manifests');
  expect(registry.requests.length).toBeLessThan(100);
});

it('what is no manifest, and what the registry does not have, is left out with all platforms', async () => {
  const artifact = {mediaType: 'application/vnd.example.thing', digest: digestOf('thing'), size: 5};
  const absent = {...own(), digest: digestOf('absent'), platform: {os: 'linux', architecture: 'arm64'}};
  const made = index([own(), artifact, absent]);
  await pull(true);
  expect(blobs()).toContain(made.digest);
  expect(registry.requests.filter(({url}) => url.includes(artifact.digest))).toEqual([]);
});

it('an image that is one alone comes for another platform too, with a warning', async () => {
  const name = `${registry.host}/a:1`;
  registry.files.set('/v2/a/manifests/1', {type: manifestType, bytes: registry.manifest});
  const told = async (platform?: string) =>
    (await bed.pull(name, platform === undefined ? {} : {platform})).map(({status}) => status).at(-1);
  expect(await told('linux/arm64')).toBe(
    `WARNING: image with reference ${name} was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)`,
  );
  expect(await told('linux/amd64')).toBe(`Status: Image is up to date for ${name}`);
  expect(await told()).toBe(`Status: Image is up to date for ${name}`);
});
