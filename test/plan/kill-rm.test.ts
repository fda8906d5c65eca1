import {expect, test} from 'vitest';
import type {ContainerStatus} from '../../src/api/types/container.ts';
import {type KillInput, planKill} from '../../src/plan/kill.ts';
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

const withMore = (statuses: Readonly<Record<string, ContainerStatus>> = {}) => {
  const {containers, ...rest} = world(statuses);
  const [web] = containers.filter(({service}) => service === 'web');
  if (web === undefined) throw new Error('web is missing');
  const [once, old] = [
    {...web, id: 'once' as typeof web.id, name: 'web-run-1', oneOff: true},
    {...web, id: 'old' as typeof web.id, name: 'old-1', service: 'old'},
  ];
  return {...rest, containers: [...containers, once, old]};
};

test('kill is for containers of single commands too, and for orphans if asked to', () => {
  const killed = (options: KillInput['options']) =>
    formatPlan(planKill({project: shop, observed: withMore({db: 'exited', job: 'exited'}), options}))
      .split('\n')
      .map((line) => /killContainer (\S+),/.exec(line)?.[1])
      .sort();
  expect(killed({})).toEqual(['web-1', 'web-run-1']);
  expect(killed({services: ['web']})).toEqual(['web-1', 'web-run-1']);
  expect(killed({removeOrphans: true})).toEqual(['old-1', 'web-1', 'web-run-1']);
});

test('rm leaves orphans and containers of single commands', () => {
  const observed = withMore();
  const ended = {...observed, containers: observed.containers.map((one) => ({...one, status: 'exited' as const}))};
  const options = {stop: false, volumes: false};
  expect(formatPlan(planRm({project: shop, observed: ended, options}))).not.toMatch(/old-1|web-run-1/);
  expect(formatPlan(planRm({project: undefined, observed: ended, options}))).toContain('removeContainer old-1');
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
