import {expect, test} from 'vitest';
import type {TscomposeError} from '../../../src/base/errors.ts';
import {TscomposeError as Failure} from '../../../src/base/errors.ts';
import type {FileSource} from '../../../src/base/file-source.ts';
import type {Project, Service, WatchRule} from '../../../src/model/types.ts';
import {withBuildIgnores} from '../../../src/watch/session/build-ignore.ts';
import {placeOf, sameRules, shownPath, watchRules} from '../../../src/watch/session/rules.ts';
import {project} from '../../plan/fixtures.ts';

const rule = (parts: Partial<WatchRule>): WatchRule => ({
  path: '/src/shop/api',
  action: 'sync',
  target: '/app',
  ignore: [],
  include: [],
  initial_sync: false,
  ...parts,
});
const watching = (services: Readonly<Record<string, readonly WatchRule[]>>, more: Partial<Service> = {}): Project =>
  project({
    services: Object.fromEntries(
      Object.entries(services).map(([name, watch]) => [name, {develop: {watch: [...watch]}, ...more}]),
    ),
    lines: {'services.api.develop.watch[0]': 7, 'services.api.develop.watch[1].action': 9},
  });

function problem(run: () => unknown): Pick<TscomposeError, 'kind' | 'message' | 'hint' | 'diagnostics'> {
  try {
    run();
  } catch (error) {
    return error as TscomposeError;
  }
  throw new Error('nothing was wrong');
}

test('the rules of all services, or of those that are asked for, with their places and absolute targets', () => {
  const stack = watching({api: [rule({target: 'app/../code/'}), rule({action: 'restart'})], web: [rule({})]});
  expect(watchRules(stack, {services: []}).map((one) => [one.id, one.target, placeOf(stack, one)])).toEqual([
    ['api 0', '/code', 'compose.yaml:7:5'],
    ['api 1', '/app', 'compose.yaml'],
    ['web 0', '/app', 'compose.yaml'],
  ]);
  expect(watchRules(stack, {services: ['web']}).map(({service}) => service)).toEqual(['web']);
});

test('rebuild without a build is refused with each place, unless the service is not watched', () => {
  const rules = {api: [rule({}), rule({action: 'rebuild'})], web: [rule({action: 'rebuild'})]};
  const stack = watching(rules);
  const message = (service: string) =>
    `service "${service}": watch action "rebuild" has nothing to build: the service has no "build"`;
  const error = problem(() => watchRules(stack, {services: []}));
  expect(error.kind).toBe('invalid');
  expect(error.message).toBe(`${message('api')}\n${message('web')}`);
  expect(error.hint).toBe('add "build: ." to the service, or use "sync", "sync+restart" or "restart"');
  expect(error.diagnostics).toMatchObject([
    {message: message('api'), file: 'compose.yaml', line: 9, column: 5},
    {message: message('web')},
  ]);
  expect(problem(() => watchRules(stack, {services: ['web']})).message).toBe(message('web'));
  const built = watching(rules, {build: {context: '/src/shop/api'}});
  expect(watchRules(built, {services: []}).map(({rule: {action}}) => action)).toEqual(['sync', 'rebuild', 'rebuild']);
});

test('nothing to watch is told with what would be something, unless it may be empty', () => {
  const none = project({services: {api: {}}});
  expect(problem(() => watchRules(none, {services: []}))).toMatchObject({
    kind: 'invalid',
    message: 'nothing to watch: no service of the stack has a rule',
  });
  expect(problem(() => watchRules(none, {services: ['api', 'web']})).message).toBe(
    'nothing to watch: none of the services api, web has a rule',
  );
  expect(watchRules(none, {services: [], mayBeEmpty: true})).toEqual([]);
});

/** Files as they are said to be. */
const sourceOf = (files: Readonly<Record<string, string>>): FileSource => ({
  readBytes(path) {
    const text = files[path];
    if (text === undefined) throw new Failure('notFound', `cannot read ${path}: no such file`);
    return Buffer.from(text);
  },
  isFile: (path) => Object.hasOwn(files, path),
  readStandardInput: () => Buffer.from(''),
});

test("a build leaves out what its context's list says, or the Dockerfile's own; without a build nothing is", async () => {
  const build = {context: '/src/shop/api', dockerfile: 'docker/Dev'};
  const built = watching({api: [rule({})]}, {build});
  const read = async (stack: Project, files: Readonly<Record<string, string>>) =>
    (await withBuildIgnores(watchRules(stack, {services: []}), stack, sourceOf(files)))[0]?.context;
  const list = {'/src/shop/api/.dockerignore': '# none\n\ndist/\n!dist/keep\n'};
  expect(await read(built, list)).toEqual({path: '/src/shop/api', ignore: ['dist', '!dist/keep']});
  expect(await read(built, {...list, '/src/shop/api/docker/Dev.dockerignore': 'own'})).toEqual({
    path: '/src/shop/api',
    ignore: ['own'],
  });
  expect(await read(built, {})).toBeUndefined();
  expect(await read(watching({api: [rule({})]}), list)).toBeUndefined();
  const remote = watching({api: [rule({})]}, {build: {context: 'https://example.com/a.git'}});
  expect(await read(remote, list)).toBeUndefined();
  // Another list is another rule.
  const [one, other] = await Promise.all(
    [list, {}].map((files) => withBuildIgnores(watchRules(built, {services: []}), built, sourceOf(files))),
  );
  expect(sameRules(one ?? [], other ?? [])).toBe(false);
  expect(sameRules(one ?? [], structuredClone(one) ?? [])).toBe(true);
});

test('paths are shown from the project on', () => {
  expect(['/src/shop/api/a', '/src/shop', '/src/other/a'].map((path) => shownPath(path, '/src/shop'))).toEqual([
    'api/a',
    '.',
    '/src/other/a',
  ]);
});
