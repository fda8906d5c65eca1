import {expect, test} from 'vitest';
import {type FaultBed, makeFaultBed} from './faults/bed.ts';
import type {Call} from './faults/calls.ts';

const remove: Call = ['containers', 'remove', 'victim'];

function create(bed: FaultBed): Promise<string> {
  const body = {Image: 'busybox', HostConfig: {NetworkMode: 'none'}};
  return bed.withEngine(async (engine) => (await engine.containers.create(body, {name: 'victim'})).Id);
}

test('a wait for the removal of a container ends, though whoever removed it was killed at it', async () => {
  await using bed = await makeFaultBed();
  await create(bed);
  const {operations} = await bed.run({action: 'count'}, [], [remove]);
  // From here on the container does not exist any more, and nobody was told.
  const gone = operations.findLastIndex((line) => / cli \d+ rename$/.test(line)) + 1;
  expect(gone).toBeGreaterThan(0);

  const id = await create(bed);
  await bed.withEngine(async (engine) => {
    const waiting = engine.containers.wait(id, 'removed');
    expect((await bed.run({action: 'kill', first: gone + 1}, [], [remove])).answers).toEqual([]);
    expect(await waiting).toEqual({StatusCode: 0});
  });
  await bed.checkUntouched('a removal that was killed');
});
