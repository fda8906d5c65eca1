import {pack} from 'tar-stream';
import type {EngineEvent} from '../../../src/api/types/system.ts';
import type {Attachment, Engine} from '../../../src/engine/engine.ts';

/**
 * A request of an engine as data: noun, verb, arguments, of which `{archive: {name: content}}` stands for a tar. Where an answer
 * is a stream it is read to its end.
 */
export type Call = readonly [
  noun: 'containers' | 'images' | 'networks' | 'volumes' | 'system' | 'execs',
  verb: string,
  ...arguments: readonly unknown[],
];

export async function perform(engine: Engine, [noun, verb, ...words]: Call): Promise<unknown> {
  if (noun === 'execs') return await execute(engine, words[0] as string, words[1] as readonly string[]);
  if (noun === 'system') return await eventsSoFar(engine);
  const methods = engine[noun] as unknown as Readonly<Record<string, (...words: readonly unknown[]) => unknown>>;
  const answer = await methods[verb]?.(...words.map(asArchive));
  if (answer === null || typeof answer !== 'object' || !(Symbol.asyncIterator in answer)) return answer;
  const items: unknown[] = [];
  for await (const item of answer as AsyncIterable<{readonly error?: string}>) {
    if (item.error !== undefined) throw new Error(item.error);
    // Of an archive it matters that it came to its end.
    items.push(item instanceof Uint8Array ? item.length : item);
  }
  return items;
}

async function execute(engine: Engine, container: string, words: readonly string[]): Promise<unknown> {
  const {Id} = await engine.execs.create(container, {Cmd: words, AttachStdout: true, AttachStderr: true});
  const {output} = (await engine.execs.start(Id, {detach: false})) as Attachment;
  let text = '';
  for await (const {data} of output) text += Buffer.from(data).toString();
  return {text, code: (await engine.execs.inspect(Id)).ExitCode};
}

async function eventsSoFar(engine: Engine): Promise<readonly EngineEvent[]> {
  const events: EngineEvent[] = [];
  for await (const event of engine.system.events({since: 0, until: Date.now() / 1000})) events.push(event);
  return events;
}

function asArchive(argument: unknown): unknown {
  if (argument === null || typeof argument !== 'object' || !('archive' in argument)) return argument;
  const tar = pack();
  for (const [name, content] of Object.entries(argument.archive as Readonly<Record<string, string>>))
    tar.entry({name}, content);
  tar.finalize();
  return tar;
}
