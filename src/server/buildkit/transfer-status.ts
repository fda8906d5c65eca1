import {sha256Hex} from '../../base/canonical-json.ts';
import {timestamp} from './build-status.ts';
import type {Job} from './jobs.ts';

/** How often it is told how much has come. */
const everyMs = 100;

/** Passes on what a client sends, and tells of it as BuildKit does: a vertex of its own, with the bytes that have come. */
export async function* tellTransfer(
  archive: AsyncIterable<Uint8Array>,
  {
    name,
    job,
    now = Date.now,
  }: {readonly name: string; readonly job: Pick<Job, 'ref' | 'tell'>; readonly now?: () => number},
): AsyncGenerator<Uint8Array, void, undefined> {
  const title = name === '' ? '[internal] load build context' : `[context ${name}] load from client`;
  const digest = `sha256:${sha256Hex(`${job.ref}\n${title}`)}`;
  const started = timestamp(now());
  const vertex = {digest, name: title, started};
  job.tell({vertexes: [vertex]});
  const tell = (current: number, completed: boolean) => {
    const time = timestamp(now());
    const id = `transferring ${name === '' ? 'context' : name}:`;
    const end = completed ? {completed: time} : {};
    job.tell({statuses: [{id, vertex: digest, name: id, current, timestamp: time, started, ...end}]});
  };
  let current = 0;
  let told = now();
  try {
    for await (const data of archive) {
      current += data.length;
      if (now() - told >= everyMs) {
        tell(current, false);
        told = now();
      }
      yield data;
    }
    tell(current, true);
    job.tell({vertexes: [{...vertex, completed: timestamp(now())}]});
  } catch (error) {
    job.tell({vertexes: [{...vertex, completed: timestamp(now()), error: (error as Error).message}]});
    throw error;
  }
}
