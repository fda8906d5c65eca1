import {expect, it} from 'vitest';
import {listReferrers} from '../../../src/engine/registry/referrers.ts';
import {digestOf} from '../image/bed.ts';
import {answering} from './answering.ts';

const {signal} = new AbortController();
const mediaType = 'application/vnd.oci.image.manifest.v1+json';
const indexType = 'application/vnd.oci.image.index.v1+json';
const subject = digestOf('subject');
const request = {repository: 'app', digest: subject, signal};
const referrer = (name: string) => ({mediaType, digest: digestOf(name), size: 3, artifactType: `application/${name}`});
const index = (...manifests: readonly object[]) => ({schemaVersion: 2, mediaType: indexType, manifests});

it('come by pages, each once', async () => {
  const {connection, asked} = answering('registry.test', [
    {body: index(referrer('a'), referrer('b')), link: `</v2/app/referrers/${subject}?last=b>; rel="next"`},
    {body: index(referrer('b'), {...referrer('c'), annotations: {by: 'me'}})},
  ]);
  expect(await listReferrers(connection, request)).toEqual([
    referrer('a'),
    referrer('b'),
    {...referrer('c'), annotations: {by: 'me'}},
  ]);
  expect(asked[1]).toBe(`https://registry.test/v2/app/referrers/${subject}?last=b`);
});

it.each(['https://elsewhere.test/v2/', 'http://registry.test/v2/'])('a list that goes on at %s ends', async (place) => {
  const {connection} = answering('registry.test', [{body: index(referrer('a')), link: `<${place}>; rel="next"`}]);
  expect(await listReferrers(connection, request)).toEqual([referrer('a')]);
});

it('a registry without such lists has a tag', async () => {
  const body = index(referrer('a'));
  const {connection, asked} = answering('registry.test', [
    {status: 404, body: {}},
    {body, headers: {'content-type': indexType}},
  ]);
  expect(await listReferrers(connection, request)).toEqual([referrer('a')]);
  expect(asked[1]).toBe(`/v2/app/manifests/sha256-${subject.slice('sha256:'.length)}`);
});

it('a registry with neither has none', async () => {
  const missing = {status: 404, body: {errors: [{code: 'MANIFEST_UNKNOWN', message: 'unknown'}]}};
  expect(await listReferrers(answering('registry.test', [missing, missing]).connection, request)).toEqual([]);
});

it.each([
  [{manifests: 'none'}, 'the list of referrers is no index'],
  [index({...referrer('a'), digest: '../../etc'}), 'the list of referrers: manifests[0] has no sha256 digest and size'],
])('what is no list is refused: %j', async (body, message) => {
  await expect(listReferrers(answering('registry.test', [{body}]).connection, request)).rejects.toMatchObject({
    message,
  });
});
