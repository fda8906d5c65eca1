import {expect, it} from 'vitest';
import {pushManifest} from '../../../src/engine/registry/referrers-tag.ts';
import {digestOf} from '../image/bed.ts';
import {listingRegistry} from './listing-registry.ts';

const {signal} = new AbortController();
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const subject = digestOf('subject');
const tag = `sha256-${subject.slice('sha256:'.length)}`;
const about = {mediaType: manifestType, digest: subject, size: 7};

function manifestOf(value: object, mediaType = manifestType) {
  const bytes = Buffer.from(JSON.stringify({schemaVersion: 2, mediaType, ...value}));
  return {bytes, mediaType, digest: digestOf(bytes)};
}
const config = {mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf('config'), size: 6};
const signature = manifestOf({
  ...{artifactType: 'application/signature', config, layers: [], subject: about},
  annotations: {by: 'me'},
});
const entry = {
  ...{mediaType: manifestType, digest: signature.digest, size: signature.bytes.length},
  ...{artifactType: 'application/signature', annotations: {by: 'me'}},
};
const push = (registry: ReturnType<typeof listingRegistry>, manifest = signature) =>
  pushManifest(registry.connection, {repository: 'app', reference: 'sig', manifest, signal});

it('a registry that lists what is about a manifest is left to it', async () => {
  const registry = listingRegistry({lists: true});
  await push(registry);
  expect(registry.puts()).toEqual(['sig']);
});

it('elsewhere the list under the tag gets it once, and keeps what is in it', async () => {
  const registry = listingRegistry({lists: false});
  const other = {...about, digest: digestOf('other'), newer: 'member'};
  registry.put(tag, {schemaVersion: 2, mediaType: indexType, manifests: [other]});
  await push(registry);
  expect(registry.puts()).toEqual(['sig', tag]);
  expect(registry.read(tag)).toEqual({schemaVersion: 2, mediaType: indexType, manifests: [other, entry]});
  await push(registry);
  expect(registry.puts()).toEqual(['sig', tag, 'sig']);
});

it('a list begins with the first; what has no type is of that of its configuration, and an index of none', async () => {
  const registry = listingRegistry({lists: false});
  const plain = manifestOf({config, layers: [], subject: about});
  const index = manifestOf({manifests: [], subject: about}, indexType);
  await push(registry, plain);
  await push(registry, index);
  expect(registry.read(tag).manifests).toEqual([
    {mediaType: manifestType, digest: plain.digest, size: plain.bytes.length, artifactType: config.mediaType},
    {mediaType: indexType, digest: index.digest, size: index.bytes.length},
  ]);
});

it('what is about nothing has no list', async () => {
  const registry = listingRegistry({lists: false});
  await push(registry, manifestOf({config, layers: []}));
  expect(registry.puts()).toEqual(['sig']);
});

it('a list that another client overwrites gets it again; one that is overwritten all the time is an error', async () => {
  const other = {...about, digest: digestOf('other')};
  const overwritten = {schemaVersion: 2, mediaType: indexType, manifests: [other]};
  const registry = listingRegistry({lists: false});
  let left = 2;
  registry.onPut = (name) => {
    if (name === tag && left-- > 0) registry.put(tag, overwritten);
  };
  await push(registry);
  expect(registry.read(tag).manifests).toEqual([other, entry]);
  left = 1000;
  registry.put(tag, overwritten);
  await expect(push(registry)).rejects.toMatchObject({
    message: `registry registry.test: manifest ${signature.digest} was pushed and not listed: app:${tag} is written by others all the time`,
    hint: 'push it again',
  });
});

it('a tag that stands for something else stays as it is', async () => {
  const registry = listingRegistry({lists: false});
  const image = {schemaVersion: 2, mediaType: manifestType, config, layers: []};
  registry.put(tag, image);
  await expect(push(registry)).rejects.toMatchObject({
    message: `registry registry.test: app:${tag} is no list of referrers`,
  });
  expect(registry.read(tag)).toEqual(image);
});
