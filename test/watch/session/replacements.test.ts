import {expect, test} from 'vitest';
import type {ProgressContent} from '../../../src/report/event.ts';
import {createMeter} from '../../../src/watch/session/meter.ts';
import {createReplacements} from '../../../src/watch/session/replacements.ts';
import {manualClock} from '../manual-clock.ts';
import {memoryContainer} from './memory-container.ts';
import {memoryContainers} from './memory-containers.ts';

function begin() {
  const clock = manualClock();
  const containers = memoryContainers();
  const events: ProgressContent[] = [];
  const replacements = createReplacements({
    containers,
    meter: createMeter(),
    converge: {clock, report: (event) => events.push(event)},
  });
  const savedAt = clock.now() - 1000;
  return {
    clock,
    containers,
    replacements,
    built: {service: 'api', cause: {paths: new Set(['src/a']), savedAt}, buildMs: 700},
    start(round: {starts(id: string): void}, id: string, probed = true) {
      containers.came(memoryContainer({id, name: `shop-api-${id}`, probed, running: false}).container);
      round.starts(id);
      containers.tell('started', id);
    },
    rebuilt: () => events.filter(({kind}) => kind === 'watchRebuilt'),
  };
}

test('it serves when all of the new containers are healthy, and the time counts from the save', async () => {
  const {clock, containers, replacements, built, start, rebuilt} = begin();
  const round = replacements.begin(new Set(['api']));
  start(round, '1');
  start(round, '2');
  round.done([built]);
  containers.health('1', 'healthy');
  await clock.advance(300);
  expect(rebuilt()).toEqual([]);
  containers.health('2', 'healthy');
  await clock.advance(0);
  expect(rebuilt()).toMatchObject([
    {containers: ['shop-api-1', 'shop-api-2'], buildMs: 700, outcome: 'healthy', outcomeMs: 300, servingMs: 1300},
  ]);
});

test('the worst of them is the outcome, which then has no time of serving', async () => {
  const {clock, containers, replacements, built, start, rebuilt} = begin();
  const round = replacements.begin(new Set(['api']));
  start(round, '1', false);
  start(round, '2', false);
  round.done([built]);
  containers.tell('died', '2');
  await clock.advance(200);
  expect(rebuilt()).toMatchObject([{outcome: 'exited'}]);
  expect(rebuilt()[0]).not.toHaveProperty('servingMs');
});

test('nothing was started: the image is what it was; and a newer round ends the wait for an older one', async () => {
  const {clock, replacements, built, start, rebuilt} = begin();
  replacements.begin(new Set(['api'])).done([built]);
  await clock.advance(0);
  expect(rebuilt()).toMatchObject([{outcome: 'unchanged', containers: []}]);
  const older = replacements.begin(new Set(['api']));
  start(older, '1');
  older.done([built]);
  start(replacements.begin(new Set(['api'])), '2');
  await clock.advance(0);
  expect(rebuilt().slice(1)).toMatchObject([{outcome: 'starting', containers: ['shop-api-1']}]);
});
