import {expect, test} from 'vitest';
import type {EngineEvent} from '../../../src/api/types/system.ts';
import {restartHistory} from '../../../src/cli/ui/restart-history.ts';
import type {Docker} from '../../../src/client/docker.ts';

/** `web start`, `web die 3`, `web kill 15`, a second apart. */
function engine(...lines: readonly string[]): Pick<Docker, 'getEvents'> & {readonly asked: unknown[]} {
  const asked: unknown[] = [];
  return {
    asked,
    async getEvents(options) {
      asked.push(options);
      return (async function* () {
        for (const [index, line] of lines.entries()) yield event(line, 100 + index);
      })();
    },
  };
}

function event(line: string, time: number): EngineEvent {
  const [id = '', action = '', value = ''] = line.split(' ');
  const attributes: Record<string, string> =
    action === 'die'
      ? {exitCode: value, ...(value === '143' ? {cause: 'unhealthy'} : {})}
      : action === 'kill'
        ? {signal: value}
        : {};
  return {
    Type: 'container',
    Action: action,
    Actor: {ID: id, Attributes: attributes},
    scope: 'local',
    time,
    timeNano: time * 1e9,
  };
}

const history = (...lines: readonly string[]) =>
  restartHistory(engine(...lines), 'shop', {nowMs: 500_000, signal: new AbortController().signal});

test('each start after an end has the end, the lack of memory or the person who asked as its cause', async () => {
  expect(
    await history(
      ...['web start', 'db start', 'web die 3', 'web start', 'web oom', 'web die 137', 'web start'],
      ...['web kill 15', 'web die 0', 'web start', 'web kill HUP', 'web die 1', 'web start', 'web die 9'],
    ),
  ).toEqual([
    {
      id: 'web',
      causes: [
        {time: 103_000, kind: 'exit', exitCode: 3},
        {time: 106_000, kind: 'oom'},
        {time: 109_000, kind: 'command'},
        {time: 112_000, kind: 'exit', exitCode: 1},
      ],
      previousStartedAt: 109_000,
    },
  ]);
});

test('a run that was ended for its health says so', async () => {
  expect(await history('web start', 'web die 143', 'web start', 'web die 0', 'web start')).toMatchObject([
    {
      causes: [
        {time: 102_000, kind: 'unhealthy'},
        {kind: 'exit', exitCode: 0},
      ],
    },
  ]);
});

test('where the events begin in the middle, the first end is known all the same', async () => {
  expect(await history('web die 3', 'web start')).toEqual([
    {id: 'web', causes: [{time: 101_000, kind: 'exit', exitCode: 3}], previousStartedAt: undefined},
  ]);
  expect(await history('web start')).toEqual([]);
});

test('only the events of a day of this project are asked for', async () => {
  const docker = engine();
  const signal = new AbortController().signal;
  await restartHistory(docker, 'shop', {nowMs: 86_400_000 * 2, signal});
  expect(docker.asked).toEqual([
    {
      since: 86_400,
      until: 172_800,
      filters: {
        type: ['container'],
        label: ['com.docker.compose.project=shop'],
        event: ['start', 'die', 'oom', 'kill'],
      },
      abortSignal: signal,
    },
  ]);
});
