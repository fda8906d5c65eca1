import {expect, test} from 'vitest';
import {causeText} from '../../src/tui/reduce-containers.ts';
import {
  type ContainerSnapshot,
  causeLimit,
  type ReplicaState,
  sampleLimit,
  type UiEventContent,
} from '../../src/tui/types.ts';
import {container, emptyScene, fold, mebibyte, now} from './scenes.ts';

const stack: UiEventContent = {kind: 'stack', project: 'shop', services: [{name: 'web', wanted: 1}]};

/** The first replica after a snapshot with one container and what happened then. */
function replicaAfter(first: ContainerSnapshot, ...events: readonly UiEventContent[]): ReplicaState | undefined {
  const {state} = emptyScene(80, 24);
  return fold(state, stack, {kind: 'snapshot', containers: [first]}, ...events).services[0]?.replicas[0];
}

const seen = (more: Partial<ContainerSnapshot>): UiEventContent => ({
  kind: 'container',
  container: container('web', 1, more),
});

test('a restart that the engine counts has the exit code or the lack of memory as its cause', () => {
  const exited = replicaAfter(
    container('web', 1),
    seen({phase: 'restarting', exitCode: 3, finishedAt: now}),
    seen({startedAt: now, restarts: 1, exitCode: 3}),
  );
  expect(exited).toMatchObject({restarts: 1, causes: [{kind: 'exit', exitCode: 3}], previousStartedAt: now - 130_000});
  expect(
    replicaAfter(
      container('web', 1),
      seen({phase: 'restarting', exitCode: 137, oomKilled: true}),
      seen({startedAt: now, restarts: 1}),
    ),
  ).toMatchObject({restarts: 1, causes: [{kind: 'oom'}]});
});

test('a restart that the engine does not count was a command, and is counted here', () => {
  const once = seen({startedAt: now - 5});
  expect(replicaAfter(container('web', 1), once)).toMatchObject({
    restarts: 1,
    ownRestarts: 0,
    causes: [{kind: 'command'}],
  });
  expect(replicaAfter(container('web', 1), once, once)).toMatchObject({restarts: 1});
});

test('a cause that is told belongs to the start that follows it', () => {
  const told = replicaAfter(
    container('web', 1),
    {kind: 'watchApplied', service: 'web', text: 'a.ts', tookMs: undefined, restarted: true},
    seen({startedAt: now}),
  );
  expect(told?.causes).toEqual([{time: now, kind: 'watch', detail: 'a.ts'}]);
});

test('a save that is told after the restart takes the place of the command that the engine knows of', () => {
  const told = replicaAfter(container('web', 1), seen({startedAt: now - 400}), {
    kind: 'watchApplied',
    service: 'web',
    text: 'a.ts → restarted',
    tookMs: 400,
    restarted: true,
  });
  expect(told).toMatchObject({restarts: 1, causes: [{kind: 'watch', detail: 'a.ts → restarted'}]});
});

test('what the engine remembers stands in front of what was seen since', () => {
  const {id} = container('web', 1);
  const cause = (time: number, exitCode: number) => ({time, kind: 'exit', exitCode}) as const;
  const history: UiEventContent = {
    kind: 'history',
    runs: [
      {id, causes: [cause(now - 900, 1), cause(now - 800, 2), cause(now, 9)], previousStartedAt: now - 850},
      {id: 'unknown', causes: [cause(now, 1)], previousStartedAt: undefined},
    ],
  };
  const restarted = seen({startedAt: now, restarts: 1, exitCode: 3});
  expect(replicaAfter(container('web', 1), restarted, history)).toMatchObject({
    causes: [{exitCode: 1}, {exitCode: 2}, {exitCode: 3}],
    // Seen is better than remembered.
    previousStartedAt: now - 130_000,
  });
  const commands = {id, causes: [{time: now - 900, kind: 'command'}], previousStartedAt: undefined} as const;
  expect(replicaAfter(container('web', 1, {restarts: 2}), {kind: 'history', runs: [commands]})).toMatchObject({
    restarts: 3,
    ownRestarts: 2,
  });
  // Started again by commands after it failed: the engine's count knows of none.
  expect(replicaAfter(container('web', 1), history)).toMatchObject({
    restarts: 3,
    causes: [{exitCode: 1}, {exitCode: 2}, {exitCode: 9}],
    previousStartedAt: now - 850,
  });
});

test('a container that takes the place of another goes on with its history', () => {
  const newer = {...container('web', 1, {startedAt: now}), id: 'newer', name: 'shop-web-1'};
  const replica = replicaAfter(
    container('web', 1, {restarts: 2}),
    {kind: 'container', container: newer},
    {kind: 'containerGone', id: container('web', 1).id},
  );
  expect(replica).toMatchObject({
    id: 'newer',
    restarts: 3,
    previousStartedAt: now - 130_000,
    causes: [{kind: 'recreated'}],
  });
});

test('a list without a container takes it away, and gives its history to its heir', () => {
  const newer = {...container('web', 1, {startedAt: now}), id: 'newer'};
  expect(replicaAfter(container('web', 1), {kind: 'snapshot', containers: [newer]})).toMatchObject({
    id: 'newer',
    restarts: 1,
  });
  expect(replicaAfter(container('web', 1), {kind: 'snapshot', containers: []})).toBeUndefined();
});

test('an end that somebody asked for is remembered until the next start', () => {
  const exited = seen({phase: 'exited', exitCode: 0, finishedAt: now});
  expect(replicaAfter(container('web', 1), exited)?.stopRequested).toBe(false);
  expect(replicaAfter(container('web', 1), seen({phase: 'stopping'}), exited)?.stopRequested).toBe(true);
  expect(
    replicaAfter(container('web', 1), seen({phase: 'exited', exitCode: 0, stopRequested: true}), exited),
  ).toMatchObject({
    stopRequested: true,
  });
  expect(replicaAfter(container('web', 1), seen({phase: 'stopping'}), exited, seen({startedAt: now}))).toMatchObject({
    phase: 'running',
    stopRequested: false,
  });
});

test('samples are kept for a minute, limits come from the container, and what stands still uses nothing', () => {
  const {id} = container('web', 1);
  const samples = Array.from(
    {length: sampleLimit + 3},
    (_, index): UiEventContent => ({
      kind: 'stats',
      samples: [
        {id, cpuPercent: index, memoryBytes: index * mebibyte},
        {id: 'unknown', cpuPercent: 1, memoryBytes: 1},
      ],
    }),
  );
  const limited = container('web', 1, {memoryLimit: 100, cpuLimit: 50});
  const usage = replicaAfter(limited, ...samples)?.usage;
  expect(usage).toMatchObject({cpuLimit: 50, memoryLimit: 100});
  expect([usage?.cpu.length, usage?.cpu[0], usage?.cpu.at(-1)]).toEqual([sampleLimit, 3, sampleLimit + 2]);
  expect(replicaAfter(limited, ...samples, seen({phase: 'exited', exitCode: 1}))?.usage).toMatchObject({
    cpu: [],
    memory: [],
  });
});

test('causes are kept up to a limit, the newest', () => {
  const restarts = Array.from(
    {length: causeLimit + 4},
    (_, index): UiEventContent => ({
      kind: 'container',
      container: container('web', 1, {startedAt: now + index, restarts: index + 1}),
      cause: {time: now + index, kind: 'exit', exitCode: index},
    }),
  );
  const causes = replicaAfter(container('web', 1), ...restarts)?.causes ?? [];
  expect([causes.length, causes.at(-1)?.exitCode]).toEqual([causeLimit, causeLimit + 3]);
});

test.each([
  [{kind: 'exit', exitCode: 3}, 'exited with code 3'],
  [{kind: 'exit'}, 'exited with code ?'],
  [{kind: 'oom', detail: 'limit 256 MiB'}, 'out of memory: limit 256 MiB'],
  [{kind: 'monitorLost'}, 'its monitor was lost'],
  [{kind: 'watch', detail: 'a.ts\nb.ts'}, 'saved: a.ts b.ts'],
  [{kind: 'unhealthy'}, 'unhealthy'],
  [{kind: 'command'}, 'restarted by a command'],
  [{kind: 'recreated', detail: ''}, 'recreated'],
] as const)('the cause %j reads "%s"', (cause, text) => {
  expect(causeText({time: now, ...cause})).toBe(text);
});
