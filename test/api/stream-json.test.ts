import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {decodeJsonLines, encodeJsonLine} from '../../src/api/stream-json.ts';

async function* pieces(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of decodeJsonLines(bytes)) values.push(value);
  return values;
}

describe('JSON lines', () => {
  it('come out as they went in, wherever the bytes are cut', async () => {
    const value = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.constant({a: {b: '}'}})));
    await fc.assert(
      fc.asyncProperty(fc.array(value, {maxLength: 6}), fc.integer({min: 1, max: 30}), async (values, size) => {
        const bytes = Buffer.concat(values.map(encodeJsonLine));
        const parts = Array.from({length: Math.ceil(bytes.length / size)}, (_, index) =>
          bytes.subarray(index * size, (index + 1) * size),
        );
        expect(await collect(pieces(...parts))).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });

  it('are handed on before their line feed', async () => {
    const never = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{"status":"start","a":{"b":1}}');
      await new Promise(() => {});
    };
    expect((await decodeJsonLines(never()).next()).value).toEqual({status: 'start', a: {b: 1}});
  });

  it('may be separated by record separators and empty lines', async () => {
    expect(await collect(pieces(Buffer.from('\x1e{"a":1}\n\n\r\n\x1e{"a":2}\n{"a":3}')))).toEqual([
      {a: 1},
      {a: 2},
      {a: 3},
    ]);
  });

  it('refuse what is no JSON', async () => {
    await expect(collect(pieces(Buffer.from('{"a":1}\nnonsense\n')))).rejects.toThrow(SyntaxError);
  });
});
