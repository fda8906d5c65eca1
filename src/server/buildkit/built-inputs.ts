import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {Message, MessageInput} from './messages.ts';

/** How a result of ours is called in the graphs that clients hand back. */
const scheme = 'tscompose://built/';

/**
 * A graph that stands for what was built: a source by the name of the result, and an end that points to it. Clients give it
 * back, as it is, with what is to be built upon it.
 */
export async function definitionOf(result: string): Promise<MessageInput<'Definition'>> {
  const {encode} = await import('./messages.ts');
  const source = encode('Op', {source: {identifier: `${scheme}${result}`}});
  const digest = `sha256:${sha256Hex(source)}`;
  // One without metadata is taken for none.
  return {def: [source, encode('Op', {inputs: [{digest, index: 0}]})], metadata: {[digest]: {}}};
}

/** The name of the result that such a graph stands for. Throws `unsupported` for a graph that the client made itself. */
export async function resultOf({def}: Message<'Definition'>): Promise<string> {
  const {decode} = await import('./messages.ts');
  for (const bytes of def) {
    const identifier = decode('Op', bytes).source?.identifier ?? '';
    if (identifier.startsWith(scheme)) return identifier.slice(scheme.length);
  }
  throw new TscomposeError('unsupported', 'cannot build: a context that is a graph of the client is not supported', {
    hint: 'name an image, a directory or another build',
  });
}
