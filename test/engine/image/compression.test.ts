import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {decompress, sniffArchive} from '../../../src/engine/image/compression.ts';
import {decodeZstd} from '../../../src/engine/image/decoders.ts';
import {collect, digestOf, type ImageBed, makeImageBed, stream} from './bed.ts';

/** The same archive of one file (`file`: "root file"), as gzip -9n, zstd -19, xz -9 and bzip2 -9 of GNU write it. */
const archives = {
  gzip: 'H4sIAAAAAAACA+3SMQrCUAwG4Mye4h0h1dr7OFgQhEJb79/XLgUHnRQK37f8IckSSP943uPHsuradsvqPTOb816v/SYv14yS8Qevab6NpcQ4DPOnvW/zg1rPKn19glMAAAAAAAAAAABwIAtvHsB/ACgAAA==',
  zstd: 'KLUv/WQAJ00CABJDChCgqwO0Xiyr6tz3txzsu9dTg6MSwt1abERmXHtfvEQ0ew/Z9jFKPyqhCyBQLzIO8sV400JgeArjANj/P5O3AoFBA4yn9Qan4gVm',
  xz: '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/AGNdADMaSda2OCGvAe5uBXM7wPx/lBK/PPzG0eal2ACvr753fooJN3Ej3sgO9dBdQSPIc8utue6jcTxYX7EiAxS2Ob75SNXBmrXItFfZkTEIldl+D+d2ko91CZfInZApmUKToGPgAAAAfYcm1IGRWaMAAX+AUAAAAPnUykOxxGf7AgAAAAAEWVo=',
  bzip2:
    'QlpoOTFBWSZTWREba/YAAHJ7hMqQAEBAAH8AAARjJJ4AAACACCAAVDaqaMgDR6gyPUElTyIPUaAAH3m0M6EFswEiWNhSJTMKkkDBDD9te+daQ0Rb2zhDVmkZUXOnioplSuN7vEd5AJfi7kinChICI21+wA==',
} as const;
const content = 'sha256:34824bf1943b459abe9a192fa03e2b746a347242d4a713e79f6c3cb5cb3e92ac';
const all = Object.entries(archives).map(
  ([name, text]) => [name as keyof typeof archives, Buffer.from(text, 'base64')] as const,
);

describe.each(all)('%s', (compression, bytes) => {
  test('is told by its first bytes, and read in pieces of any size', async () => {
    expect(sniffArchive(bytes.subarray(0, 8))).toBe(compression);
    for (const size of [1, 7, 100_000]) {
      const pieces = await collect(decompress(stream(bytes, size), compression));
      expect(digestOf(Buffer.concat(pieces))).toBe(content);
    }
  });

  test('that is cut off or damaged is refused', async () => {
    const damaged = Buffer.from(bytes);
    damaged.fill(0x55, 40, 80);
    for (const wrong of [bytes.subarray(0, bytes.length >> 1), damaged]) {
      await expect(collect(decompress(stream(wrong, 50), compression))).rejects.toMatchObject({
        kind: 'invalid',
        message: `the ${compression} data is damaged or cut off`,
      });
    }
  });

  test('whose source fails fails for that reason', async () => {
    async function* failing(): AsyncIterable<Uint8Array> {
      yield bytes.subarray(0, 20);
      throw new Error('the line is dead');
    }
    await expect(collect(decompress(failing(), compression))).rejects.toThrow('the line is dead');
  });
});

test('zstd is read alike by Nodes that have it and those that have not', async () => {
  const pieces = await collect(decodeZstd(stream(Buffer.from(archives.zstd, 'base64'), 11)));
  expect(digestOf(Buffer.concat(pieces))).toBe(content);
});

test('zstd that begins with a frame to skip, as pzstd writes it, is told and read', async () => {
  const frame = Buffer.from(archives.zstd, 'base64');
  // Each frame has one before it that says how long it is.
  const skipped = (bytes: Uint8Array) => Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, bytes.length, 0, 0, 0]);
  const whole = Buffer.concat([skipped(frame), frame]);
  expect(sniffArchive(whole.subarray(0, 8))).toBe('zstd');
  for (const size of [1, 7, 100_000]) {
    const pieces = await collect(decompress(stream(whole, size), 'zstd'));
    expect(digestOf(Buffer.concat(pieces))).toBe(content);
    const plain = await collect(decodeZstd(stream(whole, size)));
    expect(digestOf(Buffer.concat(plain))).toBe(content);
  }
});

describe('a root file system', () => {
  let bed: ImageBed;
  beforeEach(async () => {
    bed = await makeImageBed();
  });
  afterEach(() => bed[Symbol.asyncDispose]());

  test.each(all)('is imported from %s', async (_compression, bytes) => {
    await collect(bed.store.images.import(stream(bytes), {repository: 'imported'}));
    const image = await bed.store.images.inspect('imported');
    expect(image.RootFS.Layers).toEqual([content]);
    const {lowers} = await bed.store.root({id: image.Id});
    expect(readFileSync(join(lowers[0] ?? '', 'file'), 'utf8')).toBe('root file\n');
    const saved = await collect(await bed.store.images.save(['imported']));
    expect(saved.length).toBeGreaterThan(0);
  });
});
