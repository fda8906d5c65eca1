import type {OutputChunk} from '../../src/client/demux.ts';

/** Both streams of an output, each cut into lines; a last one that does not end in a line feed ends in `\\`. */
export async function outputLines(
  output: AsyncIterable<OutputChunk>,
): Promise<{readonly stdout: readonly string[]; readonly stderr: readonly string[]}> {
  const text = {stdout: '', stderr: ''};
  for await (const {stream, data} of output) text[stream] += Buffer.from(data).toString('latin1');
  return {stdout: toLines(text.stdout), stderr: toLines(text.stderr)};
}

function toLines(text: string): readonly string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, `${last}\\`];
}
