import {describe, expect, test} from 'vitest';
import {parseAnnotation} from '../../src/api/build-annotation.ts';
import {parseOutput} from '../../src/api/build-output.ts';
import {parseAttestation, parseProvenance, refuseSbom} from '../../src/api/build-provenance.ts';

const parse = (word: string) => parseOutput(word, (path) => `/here/${path}`);

describe('outputs as they are written', () => {
  test.each([
    ['out', {kind: 'local', path: '/here/out'}],
    ['-', {kind: 'tar', path: '-'}],
    ['type=local,dest=out,platform-split=true', {kind: 'local', path: '/here/out', split: true}],
    ['type=tar,dest=-', {kind: 'tar', path: '-'}],
    ['type=oci', {kind: 'oci', path: '-'}],
    ['type=oci,tar=false,dest=d', {kind: 'oci', path: '/here/d', directory: true}],
    ['type=docker', {kind: 'image', push: false}],
    ['type=docker,dest=-', {kind: 'docker', path: '-'}],
    ['type=image', {kind: 'image', push: false}],
    ['type=registry,name=a:1', {kind: 'image', push: true, names: ['a:1']}],
    ['type=image,"name=a:1,b:2",push=true', {kind: 'image', push: true, names: ['a:1', 'b:2']}],
    [
      'type=oci,dest=f,compression=zstd,compression-level=22,force-compression=true,oci-mediatypes=false',
      {
        ...{kind: 'oci', path: '/here/f', compression: 'zstd', compressionLevel: 22},
        ...{forceCompression: true, ociMediaTypes: false},
      },
    ],
    [
      'type=image,rewrite-timestamp=true,annotation.a=b,annotation-index[linux/arm64].c=d',
      {
        ...{kind: 'image', push: false, rewriteTimestamp: true},
        annotations: [
          {of: 'manifest', key: 'a', value: 'b'},
          {of: 'index', platform: 'linux/arm64', key: 'c', value: 'd'},
        ],
      },
    ],
  ])('%s', (word, expected) => {
    expect(parse(word)).toEqual(expected);
  });

  test.each([
    ['type=cache', 'output type=cache: there are no outputs of type "cache"'],
    ['dest=x', 'output dest=x: there are no outputs of type ""'],
    ['type=local', 'output type=local: it does not say where to'],
    ['type=local,dest=-', 'output type=local,dest=-: it does not say where to'],
    ['type=oci,tar=false', 'output type=oci,tar=false: it does not say where to'],
    ['type=docker,dest=d,tar=false', 'output type=docker,dest=d,tar=false: it is always an archive'],
    ['type=tar,dest=f,compression=gzip', 'output type=tar,dest=f,compression=gzip: "compression" is not known'],
    [
      'type=image,unpack=true',
      'output type=image,unpack=true: "unpack" is not supported: an image is unpacked as it is made',
    ],
    ['type=image,compression=lzma', 'output type=image,compression=lzma: layers are not compressed with "lzma"'],
    ['type=image,compression-level=10', 'output type=image,compression-level=10: "10" is no level of gzip'],
    [
      'type=image,compression=uncompressed,compression-level=1',
      'output type=image,compression=uncompressed,compression-level=1: "1" is no level of uncompressed',
    ],
    ['type=image,push=maybe', 'output type=image,push=maybe: "push" is true or false, and not "maybe"'],
    ['', 'output "": it says nothing'],
  ])('%s is refused', (word, message) => {
    expect(() => parse(word)).toThrow(expect.objectContaining({message}));
  });
});

describe('annotations as they are written', () => {
  test.each([
    ['k=v=w', [{of: 'manifest', key: 'k', value: 'v=w'}]],
    ['index:k=a:b', [{of: 'index', key: 'k', value: 'a:b'}]],
    [
      'manifest[linux/arm64],manifest-descriptor:k=',
      [
        {of: 'manifest', platform: 'linux/arm64', key: 'k', value: ''},
        {of: 'manifest-descriptor', key: 'k', value: ''},
      ],
    ],
  ])('%s', (word, expected) => {
    expect(parseAnnotation(word)).toEqual(expected);
  });

  test.each([
    ['k', 'annotation k: it reads [TYPE:]KEY=VALUE'],
    ['config:k=v', 'annotation config:k=v: "config" is no type of annotations'],
  ])('%s is refused', (word, message) => {
    expect(() => parseAnnotation(word)).toThrow(expect.objectContaining({message}));
  });
});

describe('provenance as it is written', () => {
  const min = {mode: 'min', version: 'v0.2'};
  test.each([
    ['true', min],
    ['false', undefined],
    ['mode=max', {...min, mode: 'max'}],
    [
      'mode=max,version=v1,builder-id=https://b,reproducible=true',
      {mode: 'max', version: 'v1', builderId: 'https://b', reproducible: true},
    ],
    ['mode=max,disabled=true', undefined],
  ])('%s', (word, expected) => {
    expect(parseProvenance(word)).toEqual(expected);
    if (word.includes('=')) expect(parseAttestation(`type=provenance,${word}`)).toEqual(expected);
  });

  test.each([
    ['often', 'provenance often: "often" is not known'],
    ['mode=most', 'provenance mode=most: mode "most" is not known'],
    ['version=v2', 'provenance version=v2: version "v2" is not known'],
  ])('%s is refused', (word, message) => {
    expect(() => parseProvenance(word)).toThrow(expect.objectContaining({message}));
  });

  test('lists of what is in an image are refused, unless they are switched off', () => {
    const message =
      'what is in the image (sbom) cannot be attested: no scanner is run here, nor by the docker driver of Docker';
    for (const off of ['false', '0', 'no', '']) expect(() => refuseSbom(off)).not.toThrow();
    for (const on of ['true', 'generator=x']) expect(() => refuseSbom(on)).toThrow(expect.objectContaining({message}));
    expect(parseAttestation('type=sbom,disabled=true')).toBeUndefined();
    expect(() => parseAttestation('type=sbom')).toThrow(expect.objectContaining({message}));
    expect(() => parseAttestation('mode=max')).toThrow(
      expect.objectContaining({message: 'attestation mode=max: it has no type that is known'}),
    );
  });
});
