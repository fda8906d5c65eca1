import {expect, test} from 'vitest';
import type {ContainerId} from '../../src/plan/action.ts';
import {emptyMemory} from '../../src/plan/input.ts';
import type {ObservedContainer} from '../../src/plan/observed.ts';
import {planRestart} from '../../src/plan/restart.ts';
import {planUp} from '../../src/plan/up.ts';
import {containerId, imagesOf, observed, project, running, upInput} from './fixtures.ts';
import {formatPlan} from './format.ts';

const dependsOnVpn = {vpn: {condition: 'service_started', restart: true, required: true}} as const;

/** As the loader leaves it: what is shared is depended on. */
const stack = (vpn: object = {}) =>
  project({
    services: {app: {network_mode: 'service:vpn', depends_on: dependsOnVpn}, vpn},
    lines: {'services.app.network_mode': 4},
  });

type Change = (container: ObservedContainer) => Partial<ObservedContainer>;

function world(change: Change, of = stack()) {
  const whole = running(of);
  return {...whole, containers: whole.containers.map((one) => ({...one, ...change(one)}))};
}

/** The id that the container of `app` knows the other one by. */
const knows =
  (id: string): Change =>
  ({service}) =>
    service === 'app' ? {shares: {NetworkMode: id}} : {};

test('a container is created when the one whose namespace it shares is there, and starts after it', () => {
  expect(formatPlan(planUp(upInput(stack(), observed({images: imagesOf(stack())}))))).toBe(
    `
[] -> #1 createContainer vpn-1, no existing container
[1] -> #2 createContainer app-1, no existing container
[1] -> #3 startContainer vpn-1, new container
[2,3] -> #4 startContainer app-1, new container`.trim(),
  );
});

test('what shares the namespace of the container that is there needs nothing', () => {
  expect(formatPlan(planUp(upInput(stack(), world(knows(containerId('vpn1'))))))).toBe('');
});

test('a container is recreated with the one whose namespace it shares: after the new one has its name', () => {
  const plan = planUp(upInput(stack({command: ['new']}), world(knows(containerId('vpn1')))));
  expect(formatPlan(plan)).toBe(
    `
[] -> #1 stopContainer app-1, depends on vpn, which is recreated
[] -> #2 createContainer vpn-1 as 76706e310000_vpn-1, configuration changed: command + [new]
[1,2] -> #3 stopContainer vpn-1, replaced by a new container
[1,2,3] -> #4 removeContainer vpn-1, replaced by a new container
[2,4] -> #5 renameContainer 76706e310000_vpn-1 to vpn-1, takes the place of the old container
[2,5] -> #6 createContainer app-1 as 617070310000_app-1, network_mode: "vpn" is recreated
[1,6] -> #7 removeContainer app-1, replaced by a new container
[6,7] -> #8 renameContainer 617070310000_app-1 to app-1, takes the place of the old container
[2,5] -> #9 startContainer vpn-1, new container
[6,8,9] -> #10 startContainer app-1, new container`.trim(),
  );
  const created = plan.nodes.find(({why}) => why.reason.startsWith('network_mode'));
  expect(created?.why.source).toEqual({file: '/src/shop/compose.yaml', line: 4, column: 5});
});

test('one that knows an earlier container by its id is recreated: it could not start again', () => {
  const [first] = formatPlan(planUp(upInput(stack(), world(knows('0'.repeat(64)))))).split('\n');
  expect(first).toBe('[] -> #1 createContainer app-1 as 617070310000_app-1, network_mode: "vpn" was recreated');
});

test('one whose namespace ended with the other container is restarted with it', () => {
  const stopped: Change = (one) => (one.service === 'vpn' ? {status: 'exited'} : knows(containerId('vpn1'))(one));
  expect(formatPlan(planUp(upInput(stack(), world(stopped))))).toBe(
    `
[] -> #1 startContainer vpn-1, not running (exited)
[] -> #2 stopContainer app-1, network_mode: "vpn" starts again
[1,2] -> #3 startContainer app-1, stopped for what it depends on`.trim(),
  );
});

test('one that is older than the last start of what it shares is restarted, and what shares with it', () => {
  const chain = project({
    services: {
      app: {network_mode: 'service:proxy', depends_on: {proxy: {condition: 'service_started', required: true}}},
      proxy: {network_mode: 'service:vpn', depends_on: {vpn: {condition: 'service_started', required: true}}},
      vpn: {},
    },
  });
  const of = (proxy: number, byPolicy: boolean) => {
    const whole = running(chain);
    const times: Readonly<Record<string, number>> = {app: 4, proxy, vpn: 3};
    const containers = whole.containers.map((one) => ({
      ...one,
      started: {at: times[one.service] ?? 0, byPolicy: byPolicy && one.service === 'vpn'},
    }));
    return upInput(chain, {...whole, containers});
  };
  expect(formatPlan(planUp(of(2, false)))).toBe(
    `
[] -> #1 stopContainer proxy-1, network_mode: "vpn" was started again
[1] -> #2 startContainer proxy-1, stopped for what it depends on
[] -> #3 stopContainer app-1, network_mode: "proxy" starts again
[2,3] -> #4 startContainer app-1, stopped for what it depends on`.trim(),
  );
  expect(formatPlan(planUp(of(3, false)))).toBe('');
  // A policy may have started it again with the same network.
  expect(formatPlan(planUp(of(2, true)))).toBe('');
  // This command has restarted it: a clock that was set back in between does not let it do so for ever.
  const input = of(2, false);
  const proxy = containerId('proxy1') as ContainerId;
  expect(formatPlan(planUp({...input, memory: {...input.memory, hooksDone: new Map([[proxy, 0]])}}))).toBe('');
});

test('what shares namespaces stops before the other goes, and restarts with it, also where its dependency does not say so', () => {
  const without = (vpn: object) =>
    project({
      services: {
        app: {network_mode: 'service:vpn', depends_on: {vpn: {condition: 'service_healthy', required: true}}},
        vpn,
      },
    });
  const [first] = formatPlan(planUp(upInput(without({command: ['new']}), running(without({}))))).split('\n');
  expect(first).toBe('[] -> #1 stopContainer app-1, depends on vpn, which is recreated');
  const options = {services: ['vpn']};
  const restart = planRestart({project: without({}), observed: running(without({})), options, memory: emptyMemory});
  expect(formatPlan(restart)).toBe(
    `
[] -> #1 restartContainer vpn-1, asked to restart
[1] -> #2 awaitCondition vpn service_healthy, app depends on it
[1,2] -> #3 restartContainer app-1, depends on a service that restarts`.trim(),
  );
});

test('volumes of another container are taken from the new one', () => {
  const of = (command: readonly string[]) =>
    project({
      services: {
        backup: {volumes_from: ['db:ro'], depends_on: {db: {condition: 'service_started', required: true}}},
        db: {command},
      },
    });
  const plan = formatPlan(planUp(upInput(of(['new']), running(of(['old'])))));
  expect(plan).toContain('createContainer backup-1 as 6261636b7570_backup-1, volumes_from: "db" is recreated');
  expect(formatPlan(planUp(upInput(of(['old']), running(of(['old'])))))).toBe('');
});

test('what belongs to a network is refused where that is another container, before anything is made', () => {
  const asking = project({
    services: {
      app: {
        network_mode: 'service:vpn',
        depends_on: dependsOnVpn,
        ports: [{target: 80, published: '80', protocol: 'tcp', mode: 'ingress'}],
        dns: [],
      },
      vpn: {hostname: 'vpn'},
    },
    lines: {'services.app.ports': 7},
  });
  expect(() => planUp(upInput(asking, observed({images: imagesOf(asking)})))).toThrow(
    expect.objectContaining({
      kind: 'invalid',
      message: 'compose.yaml:7:5: service "app": "ports" is given, but its network is that of service "vpn"',
      hint: 'remove it here, and give it to service "vpn" where it is wanted',
    }),
  );
  // What runs is not refused.
  expect(formatPlan(planUp(upInput(asking, running(asking))))).toBe('');
});
