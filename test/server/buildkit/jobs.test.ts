import {expect, test} from 'vitest';
import {createJobs, type Job} from '../../../src/server/buildkit/jobs.ts';
import type {Message} from '../../../src/server/buildkit/messages.ts';

const never = new AbortController().signal;
const asked = {ref: 'ref'} as Message<'SolveRequest'>;

async function namesOf(job: Job): Promise<readonly unknown[]> {
  const names: unknown[] = [];
  for await (const {vertexes = []} of job.updates(never)) names.push(...vertexes.map(({name}) => name));
  return names;
}

test('whoever follows a build is told all of it, also when it comes after the end', async () => {
  const jobs = createJobs();
  const job = jobs.get('ref');
  job.ask(asked);
  job.tell({vertexes: [{name: 'one'}]});
  const early = namesOf(job);
  job.tell({vertexes: [{name: 'two'}]});
  job.finish({});
  expect(await early).toEqual(['one', 'two']);

  const quick = jobs.get('quick');
  quick.ask(asked);
  quick.tell({vertexes: [{name: 'three'}]});
  quick.finish({});
  jobs.remove('quick');
  expect(await namesOf(jobs.get('quick'))).toEqual(['three']);
  jobs.forget('quick');
  expect(jobs.get('quick').isAsked()).toBe(false);
});

test('what a build has kept is known as long as it goes on', () => {
  const jobs = createJobs();
  const job = jobs.get('ref');
  job.ask(asked);
  const built = {response: {}, image: async () => 'image'};
  const id = job.keep(built);
  expect(jobs.kept(id)).toBe(built);
  expect(jobs.kept('another')).toBeUndefined();
  job.finish({});
  expect(jobs.kept(id)).toBeUndefined();
});

test('one that nobody asked for is let go of', () => {
  const jobs = createJobs();
  const job = jobs.get('ref');
  jobs.forget('ref');
  expect(jobs.get('ref')).not.toBe(job);
});
