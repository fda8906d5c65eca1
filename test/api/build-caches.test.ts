import {describe, expect, test} from 'vitest';
import {parseCacheFrom, parseCacheTo} from '../../src/api/build-caches.ts';

const absolute = (path: string) => `/here/${path}`;
const digest = `sha256:${'a'.repeat(64)}`;

describe('caches as they are written', () => {
  test.each([
    ['a/b:1', [{kind: 'registry', reference: 'a/b:1'}]],
    [
      'a,b',
      [
        {kind: 'registry', reference: 'a'},
        {kind: 'registry', reference: 'b'},
      ],
    ],
    ['type=registry,ref=h:5000/a', [{kind: 'registry', reference: 'h:5000/a'}]],
    ['type=local,src=d', [{kind: 'local', path: '/here/d'}]],
    [`type=local,src=d,tag=t,digest=${digest}`, [{kind: 'local', path: '/here/d', tag: 't', digest}]],
  ])('--cache-from %s', (text, expected) => {
    expect(parseCacheFrom(text, absolute)).toEqual(expected);
  });

  test.each([
    ['a/b:1', [{kind: 'registry', reference: 'a/b:1', mode: 'min'}]],
    ['type=inline', [{kind: 'inline'}]],
    [
      'type=registry,ref=a,mode=max,oci-mediatypes=false,ignore-error=true',
      [{kind: 'registry', reference: 'a', mode: 'max', ociMediaTypes: false, ignoreError: true}],
    ],
    [
      'type=registry,ref=a,image-manifest=0,compression=zstd,compression-level=19,force-compression=1',
      [
        {
          ...{kind: 'registry', reference: 'a', mode: 'min', imageManifest: false},
          ...{compression: 'zstd', level: 19, force: true},
        },
      ],
    ],
    ['type=local,dest=d,tag=t,reset=true', [{kind: 'local', path: '/here/d', tag: 't', reset: true, mode: 'min'}]],
  ])('--cache-to %s', (text, expected) => {
    expect(parseCacheTo(text, absolute)).toEqual(expected);
  });

  test.each([
    [parseCacheFrom, 'type=gha,scope=x', 'unsupported', 'caches of the type "gha" are not supported'],
    [parseCacheFrom, 'type=s3,bucket=x', 'unsupported', 'caches of the type "s3" are not supported'],
    [parseCacheTo, 'type=azblob,name=x', 'unsupported', 'caches of the type "azblob" are not supported'],
    [parseCacheTo, 'type=registry,ref=a,compression=estargz', 'unsupported', 'layers are not packed as estargz'],
    [parseCacheFrom, 'ref=a', 'invalid', 'it has no type'],
    [parseCacheFrom, 'type=registry', 'invalid', 'it has no ref'],
    [parseCacheFrom, 'type=inline', 'invalid', 'type=inline is not known'],
    [parseCacheFrom, 'type=local,src=d,digest=x', 'invalid', 'digest=x is no digest'],
    [parseCacheFrom, 'type=registry,ref=a,mode=max', 'invalid', '"mode" is not known'],
    [parseCacheTo, 'type=registry,ref=a,mode=all', 'invalid', 'mode=all is not known'],
    [parseCacheTo, 'type=registry,ref=a,ignore-error=maybe', 'invalid', 'ignore-error=maybe is neither true nor false'],
    [parseCacheTo, 'type=registry,ref=a,compression-level=10', 'invalid', 'compression-level=10 is no level'],
    [
      ...([parseCacheTo, 'type=registry,ref=a,image-manifest=true,oci-mediatypes=false', 'invalid'] as const),
      'only OCI has caches in the shape of an image',
    ],
  ] as const)('%o refuses %s', (parse, text, kind, reason) => {
    expect(() => parse(text, absolute)).toThrow(expect.objectContaining({kind, message: `cache "${text}": ${reason}`}));
  });
});
