import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {decodeFrames, encodeFrame, type Frame} from '../../src/api/framing.ts';

async function* pieces(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<{stream: string; text: string}[]> {
  const frames: {stream: string; text: string}[] = [];
  for await (const {stream, data} of decodeFrames(bytes))
    frames.push({stream, text: Buffer.from(data).toString('latin1')});
  return frames;
}

describe('multiplexed frames', () => {
  it('have the header that the Engine API documents', () => {
    expect(Buffer.from(encodeFrame('stderr', Buffer.from('hey'))).toString('hex')).toBe('0200000000000003686579');
    expect(Buffer.from(encodeFrame('stdout', Buffer.alloc(0))).toString('hex')).toBe('0100000000000000');
  });

  it('come out as they went in, wherever the bytes are cut', async () => {
    const frame = fc.record({
      stream: fc.constantFrom<Frame['stream']>('stdin', 'stdout', 'stderr', 'systemError'),
      data: fc.uint8Array({maxLength: 40}),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, {maxLength: 8}),
        fc.array(fc.nat(400), {maxLength: 20}),
        async (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(({stream, data}) => encodeFrame(stream, data)));
          const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const parts = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
          const expected = frames.map(({stream, data}) => ({stream, text: Buffer.from(data).toString('latin1')}));
          expect(await collect(pieces(...parts))).toEqual(expected);
        },
      ),
    );
  });

  it('are handed on as soon as they are complete', async () => {
    let asked = 0;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      asked = 1;
      yield encodeFrame('stdout', Buffer.from('one'));
      asked = 2;
      yield encodeFrame('stdout', Buffer.from('two'));
    };
    const frames = decodeFrames(source());
    expect((await frames.next()).value?.data.toString()).toBe('one');
    expect(asked).toBe(1);
    await frames.return(undefined);
  });

  it('hand on what came of a frame that was cut off', async () => {
    const cut = encodeFrame('stderr', Buffer.from('abcdef')).subarray(0, 11);
    expect(await collect(pieces(cut))).toEqual([{stream: 'stderr', text: 'abc'}]);
  });

  it('refuse what has no header', async () => {
    await expect(collect(pieces(Buffer.from('plain text of a terminal')))).rejects.toThrow(
      'not a multiplexed stream: header 706c61696e207465',
    );
  });
});
