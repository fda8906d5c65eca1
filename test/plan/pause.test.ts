import {expect, test} from 'vitest';
import type {ContainerStatus} from '../../src/api/types/container.ts';
import {planPause} from '../../src/plan/pause.ts';
import {project, running} from './fixtures.ts';
import {formatPlan} from './format.ts';

const shop = project({
  services: {
    web: {depends_on: {db: {condition: 'service_started', required: true}}},
    db: {},
    job: {},
  },
});

function planned(
  change: 'pause' | 'unpause',
  statuses: Readonly<Record<string, ContainerStatus>>,
  services?: readonly string[],
): string {
  const world = running(shop);
  const containers = world.containers.map((one) => ({...one, status: statuses[one.service] ?? one.status}));
  const options = services === undefined ? {change} : {change, services};
  return formatPlan(planPause({project: shop, observed: {...world, containers}, options}));
}

test('pause is for what runs, unpause for what is paused; the rest stays as it is', () => {
  const statuses = {web: 'paused', job: 'exited'} as const;
  expect(planned('pause', statuses)).toBe('[] -> #1 pauseContainer db-1, asked to pause');
  expect(planned('unpause', statuses)).toBe('[] -> #1 unpauseContainer web-1, asked to unpause');
  expect(planned('unpause', {})).toBe('');
});

test('services may be named, and must be known', () => {
  expect(planned('pause', {}, ['web'])).toBe('[] -> #1 pauseContainer web-1, asked to pause');
  expect(() => planned('pause', {}, ['wbe'])).toThrow('no such service: "wbe"');
});
