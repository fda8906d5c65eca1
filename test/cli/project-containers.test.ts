import {expect, test} from 'vitest';
import {composeLabels} from '../../src/api/labels.ts';
import {findReplica, onlyReplica, type ProjectContainer} from '../../src/cli/project-containers.ts';
import type {Docker} from '../../src/client/docker.ts';

function replica(service: string, number: number): ProjectContainer {
  const name = `shop-${service}-${number}`;
  return {id: name, name, service, number, summary: {} as ProjectContainer['summary']};
}

const containers = [replica('api', 1), replica('web', 2), replica('web', 3)];

/** An engine with these containers of project "shop" running. */
function engine(...running: readonly (readonly [service: string, number: number])[]): Docker {
  const summaries = running.map(([service, number]) => ({
    Id: `${service}${number}`,
    Names: [`/shop-${service}-${number}`],
    State: 'running',
    Labels: {
      [composeLabels.project]: 'shop',
      [composeLabels.service]: service,
      [composeLabels.containerNumber]: `${number}`,
      [composeLabels.oneOff]: 'False',
    },
  }));
  return {listContainers: async () => summaries} as unknown as Docker;
}

const find = (docker: Docker, service: string, index?: number) =>
  findReplica(docker, {project: 'shop', service, index, known: ['web', 'db']});

test('the replica with a number is chosen, else the lowest', async () => {
  const docker = engine(['web', 3], ['web', 2]);
  expect((await find(docker, 'web')).name).toBe('shop-web-2');
  expect((await find(docker, 'web', 3)).name).toBe('shop-web-3');
});

test('a replica that does not run is told with those that do; only without any there is something to start', async () => {
  await expect(find(engine(['web', 3], ['web', 2]), 'web', 7)).rejects.toMatchObject({
    message: 'replica 7 of service "web" is not running',
    hint: 'there is --index 2, 3',
  });
  await expect(find(engine(), 'db', 1)).rejects.toMatchObject({hint: 'start it with "tscompose up -d db"'});
});

test('of several services those with a number are taken; a number that none has is refused', () => {
  expect(onlyReplica(containers, undefined)).toBe(containers);
  expect(onlyReplica([...containers, replica('db', 2)], 2).map(({name}) => name)).toEqual(['shop-web-2', 'shop-db-2']);
  expect(() => onlyReplica([replica('api', 1)], 3)).toThrow(
    expect.objectContaining({kind: 'notFound', message: 'there is no replica 3', hint: 'there is only --index 1'}),
  );
  expect(() => onlyReplica([], 3)).toThrow(expect.objectContaining({hint: '"tscompose ps -a" shows what there is'}));
});
