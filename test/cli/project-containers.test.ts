import {expect, test} from 'vitest';
import {chooseReplica, onlyReplica, type ProjectContainer} from '../../src/cli/project-containers.ts';

function replica(service: string, number: number): ProjectContainer {
  const name = `shop-${service}-${number}`;
  return {id: name, name, service, number, summary: {} as ProjectContainer['summary']};
}

const containers = [replica('api', 1), replica('web', 2), replica('web', 3)];

test('the replica with a number is chosen, else the lowest', () => {
  expect(chooseReplica(containers, 'web', undefined).name).toBe('shop-web-2');
  expect(chooseReplica(containers, 'web', 3).name).toBe('shop-web-3');
});

test('a replica that does not run is told with those that do; only without any there is something to start', () => {
  expect(() => chooseReplica(containers, 'web', 7)).toThrow(
    expect.objectContaining({
      message: 'replica 7 of service "web" is not running',
      hint: 'there is --index 2, 3',
    }),
  );
  expect(() => chooseReplica(containers, 'db', 1)).toThrow(
    expect.objectContaining({hint: 'start it with "tscompose up -d db"'}),
  );
});

test('of several services those with a number are taken; a number that none has is refused', () => {
  expect(onlyReplica(containers, undefined)).toBe(containers);
  expect(onlyReplica([...containers, replica('db', 2)], 2).map(({name}) => name)).toEqual(['shop-web-2', 'shop-db-2']);
  expect(() => onlyReplica([replica('api', 1)], 3)).toThrow(
    expect.objectContaining({kind: 'notFound', message: 'there is no replica 3', hint: 'there is only --index 1'}),
  );
  expect(() => onlyReplica([], 3)).toThrow(expect.objectContaining({hint: '"tscompose ps -a" shows what there is'}));
});
