import {expect, test} from 'vitest';
import {restart, start, stop} from '../../src/reconcile/commands.ts';
import {type ProjectParts, project} from '../plan/fixtures.ts';
import {downProject, engineFor, runOn, upProject} from './harness.ts';
import type {Behaviour} from './memory-engine.ts';

const parts: ProjectParts = {
  services: {
    db: {post_start: [{command: ['first']}, {command: ['second']}], pre_stop: [{command: ['last']}]},
    web: {depends_on: {db: {condition: 'service_healthy', required: true}}},
  },
  lines: {'services.db.post_start[1]': 7, 'services.db.pre_stop[0]': 9},
};
const target = {name: 'shop', project: project(parts)};

/** A stack whose database does this with commands that are run in it. */
function engineWith(exec?: Behaviour['exec']) {
  const engine = engineFor(parts);
  engine.addImage('db', {health: 'healthy', ...(exec && {exec})});
  return engine;
}

test('they run around starts and stops, in their order, and what depends on the service waits for them', async () => {
  const engine = engineWith();
  const run = runOn(engine);
  await upProject(parts, run);
  const started = ['start shop-db-1', 'exec shop-db-1 first', 'exec shop-db-1 second'];
  expect(engine.calls.slice(2)).toEqual([...started, 'start shop-web-1']);
  expect(run.lines()).toContain('container shop-db-1 post_start hook 2 done');
  engine.calls.length = 0;
  await upProject(parts, runOn(engine));
  expect(engine.calls).toEqual([]);
  await restart(target, {services: ['db']}, runOn(engine).context);
  expect(engine.calls).toEqual(['exec shop-db-1 last', 'restart shop-db-1', ...started.slice(1)]);
  engine.calls.length = 0;
  await stop(target, {services: ['db']}, runOn(engine).context);
  await start(target, {services: ['db']}, runOn(engine).context);
  expect(engine.calls).toEqual(['exec shop-db-1 last', 'stop shop-db-1', ...started]);
  engine.calls.length = 0;
  await downProject(parts, runOn(engine));
  expect(engine.calls.filter((call) => call !== 'remove shop-web-1')).toEqual([
    'stop shop-web-1',
    'exec shop-db-1 last',
    'stop shop-db-1',
    'remove shop-db-1',
  ]);
});

test('one that fails fails the start; the next up goes on with it, and does not repeat what went well', async () => {
  let exitCode = 3;
  const engine = engineWith(([word]) => (word === 'second' ? {exitCode, output: 'no table\n'} : {exitCode: 0}));
  const run = runOn(engine);
  await expect(upProject(parts, run)).rejects.toMatchObject({
    kind: 'dependencyFailed',
    exitCode: 1,
    message: 'compose.yaml:7:5: service "db": post_start hook 2 in container "shop-db-1" failed with exit code 3',
    hint: 'once the command works, "tscompose up" goes on with it',
  });
  expect(engine.names('running')).toEqual(['shop-db-1']);
  expect(run.lines().slice(-3)).toEqual([
    'container shop-db-1 failed: compose.yaml:7:5: service "db": post_start hook 2 in container "shop-db-1" failed with exit code 3',
    '  shop-db-1 | no table',
    'container shop-web-1 skipped: needs service "db", which needs container "shop-db-1", which failed',
  ]);
  exitCode = 0;
  engine.calls.length = 0;
  await upProject(parts, runOn(engine));
  expect(engine.calls).toEqual(['exec shop-db-1 second', 'start shop-web-1']);
});

test('one that fails before a stop keeps the container, and only that', async () => {
  const engine = engineWith(([word]) => ({exitCode: word === 'last' ? 9 : 0}));
  await upProject(parts, runOn(engine));
  await expect(downProject(parts, runOn(engine))).rejects.toMatchObject({
    message: 'compose.yaml:9:5: service "db": pre_stop hook 1 in container "shop-db-1" failed with exit code 9',
  });
  expect(engine.names()).toEqual(['shop-db-1']);
  expect(engine.names('running')).toEqual(['shop-db-1']);
});

test('a container that ends while its pre_stop hook runs has what it is for', async () => {
  const engine = engineWith(([word]) => {
    // As with a real engine, the command is seen to end before the container is.
    if (word === 'last') setTimeout(() => engine.exit(engine.named('shop-db-1'), 0), 5);
    return {exitCode: word === 'last' ? 137 : 0};
  });
  await upProject(parts, runOn(engine));
  await downProject(parts, runOn(engine));
  expect(engine.names()).toEqual([]);
});

test('one in a container that crashed fails the start', async () => {
  const engine = engineFor(parts);
  engine.addImage('db');
  const run = runOn(engine, {
    before: (call) => {
      if (call === 'exec shop-db-1 first') engine.exit(engine.named('shop-db-1'), 1);
    },
  });
  await expect(upProject(parts, run)).rejects.toMatchObject({
    kind: 'conflict',
    exitCode: 1,
    message: expect.stringMatching(
      /^service "db": post_start hook 1 in container "shop-db-1" could not be run: .* is not running$/,
    ),
  });
});

test('one that hangs is left with the signal, and the next up runs it', async () => {
  let hangs = true;
  const engine = engineWith(([word]) => (word === 'second' && hangs ? 'hangs' : {exitCode: 0}));
  const run = runOn(engine, {
    before: (call) => {
      if (call === 'exec shop-db-1 second') setTimeout(run.abort, 1);
    },
  });
  await expect(upProject(parts, run)).rejects.toMatchObject({kind: 'canceled'});
  hangs = false;
  engine.calls.length = 0;
  await upProject(parts, runOn(engine));
  expect(engine.calls).toEqual(['exec shop-db-1 second', 'start shop-web-1']);
});

test('whoever wants to see their output gets it', async () => {
  const engine = engineWith(([word]) => ({exitCode: 0, output: `${word}\n`}));
  const seen: string[] = [];
  const {context} = runOn(engine);
  const hookOutput = ({name}: {readonly name: string}) => ({
    write: ({data}: {readonly data: Uint8Array}) => void seen.push(`${name} ${Buffer.from(data)}`),
    end: () => void seen.push('end'),
  });
  await upProject(parts, {...runOn(engine), context: {...context, hookOutput}});
  expect(seen).toEqual(['shop-db-1 first\n', 'end', 'shop-db-1 second\n', 'end']);
});

test('what nobody knows of counts as done: events that are gone, and a start by a restart policy', async () => {
  for (const lose of [
    (engine: ReturnType<typeof engineWith>) => engine.forgetEvents(),
    (engine: ReturnType<typeof engineWith>) => (engine.named('shop-db-1').restarts = 1),
  ]) {
    const engine = engineWith(([word]) => ({exitCode: word === 'second' ? 1 : 0}));
    await expect(upProject(parts, runOn(engine))).rejects.toThrow('post_start hook 2');
    lose(engine);
    engine.calls.length = 0;
    await upProject(parts, runOn(engine));
    expect(engine.calls).toEqual(['start shop-web-1']);
  }
});
