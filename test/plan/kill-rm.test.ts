import {expect, test} from 'vitest';
import type {ContainerStatus} from '../../src/api/types/container.ts';
import {planKill} from '../../src/plan/kill.ts';
import {planRm, type RmInput} from '../../src/plan/rm.ts';
import {project, running} from './fixtures.ts';
import {formatPlan} from './format.ts';

const shop = project({
  services: {web: {depends_on: {db: {condition: 'service_started', required: true}}}, db: {}, job: {}},
});

function world(statuses: Readonly<Record<string, ContainerStatus>>) {
  const {containers, ...rest} = running(shop);
  return {...rest, containers: containers.map((one) => ({...one, status: statuses[one.service] ?? one.status}))};
}

const rm = (statuses: Readonly<Record<string, ContainerStatus>>, options: Partial<RmInput['options']> = {}) =>
  formatPlan(planRm({project: shop, observed: world(statuses), options: {stop: false, volumes: false, ...options}}));

test('kill is for what runs, in no order; it may be another signal', () => {
  const observed = world({job: 'exited', web: 'restarting'});
  expect(formatPlan(planKill({project: shop, observed, options: {}})).split('\n')).toEqual([
    '[] -> #1 killContainer db-1, asked to kill',
    '[] -> #2 killContainer web-1, asked to kill',
  ]);
  expect(formatPlan(planKill({project: shop, observed, options: {services: ['db'], signal: 'HUP'}}))).toBe(
    '[] -> #1 killContainer db-1 HUP, asked to kill',
  );
  expect(() => planKill({project: shop, observed, options: {services: ['wbe']}})).toThrow('no such service: "wbe"');
});

test('rm removes what does not run, and leaves the rest alone', () => {
  expect(rm({job: 'exited', db: 'created'})).toBe(
    `
[] -> #1 removeContainer db-1, asked to remove
[] -> #2 removeContainer job-1, asked to remove`.trim(),
  );
  expect(rm({job: 'exited'}, {services: ['web']})).toBe('');
});

test('rm --stop stops first, dependents before what they depend on', () => {
  expect(rm({job: 'exited'}, {stop: true, volumes: true, services: ['web', 'db']})).toBe(
    `
[] -> #1 stopContainer web-1, asked to stop
[1] -> #2 stopContainer db-1, asked to stop
[2] -> #3 removeContainer db-1 with anonymous volumes, asked to remove
[1] -> #4 removeContainer web-1 with anonymous volumes, asked to remove`.trim(),
  );
});
