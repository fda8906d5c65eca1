import {StringDecoder} from 'node:string_decoder';
import type {OutputChunk} from '../engine.ts';

/** Output as text: a character that comes in two pieces is told whole. */
export function outputAsText(
  tell: (stream: OutputChunk['stream'], text: string) => void,
): (chunk: OutputChunk) => void {
  const decoders = {stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8')};
  return ({stream, data}) => {
    const text = decoders[stream].write(Buffer.from(data));
    if (text !== '') tell(stream, text);
  };
}
