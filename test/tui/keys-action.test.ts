import {expect, test} from 'vitest';
import {reduceKey} from '../../src/tui/keys.ts';
import type {KeyResult, Selection, UiState} from '../../src/tui/types.ts';
import {container, fold, type Scene, shopScene} from './scenes.ts';
import {key, pressed} from './screens.ts';

function on(selection: Selection, ...more: Parameters<typeof fold> extends [unknown, ...infer E] ? E : never): Scene {
  const {state, logs} = shopScene(100, 30);
  return {state: {...fold(state, ...more), selection}, logs};
}

const press = ({state, logs}: Scene, name: string): KeyResult => reduceKey(state, key(name), logs);
const hintAfter = (scene: Scene, name: string): string | undefined => press(scene, name).state.hint;
const overlayAfter = (scene: Scene, name: string): UiState['overlay'] => press(scene, name).state.overlay;

test('restart goes at once, with the command that does the same', () => {
  const {effects} = press(on({service: 'db'}), 'r');
  expect(effects).toEqual([
    {kind: 'restart', target: {kind: 'service', service: 'db'}, command: 'tscompose restart db'},
  ]);
});

test('on the line of a replica it is asked first, since all are restarted', () => {
  const asked = pressed({...on({service: 'web', replica: 2}), ...expanded()}, 'r');
  expect(asked.state.overlay).toMatchObject({
    kind: 'confirm',
    question: 'Restart all 2 containers of web?',
    details: ['shop-web-1', 'shop-web-2'],
  });
  expect(press(asked, 'n')).toMatchObject({state: {overlay: undefined}, effects: []});
  expect(press(asked, 'x')).toMatchObject({state: {overlay: {kind: 'confirm'}}, effects: []});
  expect(press(asked, 'y')).toMatchObject({state: {overlay: undefined}, effects: [{kind: 'restart'}]});
});

function expanded(): Pick<Scene, 'state'> {
  const {state} = on({service: 'web', replica: 2});
  return {state: {...state, expanded: ['web']}};
}

test('stop is asked, start is not, and what restarts all the time can be stopped', () => {
  expect(overlayAfter(on({service: 'db'}), 's')).toMatchObject({question: 'Stop db?', details: ['shop-db-1']});
  expect(press(on({service: 'migrate'}), 's').effects).toMatchObject([
    {kind: 'start', command: 'tscompose start migrate'},
  ]);
  const looping = {kind: 'container', container: container('migrate', 1, {phase: 'restarting'})} as const;
  expect(overlayAfter(on({service: 'migrate'}, looping), 's')).toMatchObject({question: 'Stop migrate?'});
  expect(hintAfter(on({service: 'mail'}), 's')).toBe('mail has no container: p shows what would be created');
  expect(hintAfter(on({service: 'mail'}), 'r')).toBe('mail has no container: p shows what would be created');
});

test('many containers are not all named', () => {
  const many = Array.from({length: 8}, (_, index) => ({
    kind: 'container' as const,
    container: container('worker', index + 1),
  }));
  expect(overlayAfter(on({service: 'worker'}, ...many), 's')).toMatchObject({
    question: 'Stop all 8 containers of worker?',
    details: expect.objectContaining({length: 6, 5: 'and 3 more'}),
  });
});

test('a shell opens in the replica of the line, or in the first that runs', () => {
  expect(press(on({service: 'db'}), 'e').effects).toMatchObject([
    {kind: 'exec', target: {name: 'shop-db-1'}, command: 'tscompose exec db sh'},
  ]);
  expect(press(on({service: 'web'}), 'e').effects).toMatchObject([
    {kind: 'exec', target: {name: 'shop-web-1'}, command: 'tscompose exec --index 1 web sh'},
  ]);
  const second = {...on({service: 'web', replica: 2}), ...expanded()};
  expect(press(second, 'e').effects).toMatchObject([{command: 'tscompose exec --index 2 web sh'}]);
  expect(hintAfter(on({service: 'migrate'}), 'e')).toBe('no container of migrate runs');
});

test('one port is opened, several are chosen from, and what no browser opens is only shown', () => {
  const one = {kind: 'container', container: container('cache', 1, {ports: [publicPort(8080)]})} as const;
  expect(press(on({service: 'cache'}, one), 'o').effects).toEqual([
    {kind: 'openUrl', url: 'http://localhost:8080/', command: 'xdg-open http://localhost:8080/'},
  ]);
  const choosing = pressed(on({service: 'web'}), 'o', 'down', 'down');
  expect(choosing.state.overlay).toEqual({kind: 'ports', service: 'web', selected: 1});
  expect(press(choosing, 'enter')).toMatchObject({
    state: {overlay: undefined},
    effects: [{url: 'http://localhost:8001/'}],
  });
  const database = pressed(on({service: 'db'}), 'o');
  expect(database.state.overlay).toMatchObject({kind: 'ports', service: 'db'});
  expect(hintAfter(database, 'enter')).toBe('no browser opens that port');
  expect(hintAfter(on({service: 'migrate'}), 'o')).toBe('no port of migrate is published');
});

function publicPort(published: number) {
  return {address: '0.0.0.0', published, target: 80, protocol: 'tcp'} as const;
}

test('the plan is made anew when it is opened, applied from there, and what it asks is asked', () => {
  const {state, effects} = press(on({service: 'db'}), 'p');
  expect({overlay: state.overlay, effects}).toEqual({
    overlay: {kind: 'plan', top: 0},
    effects: [{kind: 'refreshPlan', command: 'tscompose plan'}],
  });
  const open = pressed(on({service: 'db'}), 'p');
  expect(press(open, 'a')).toMatchObject({
    state: {overlay: undefined},
    effects: [{kind: 'applyPlan', command: 'tscompose up -d'}],
  });
  const {plan} = open.state;
  if (plan === undefined) throw new Error('there is no plan');
  const withQuestion = pressed(
    on({service: 'db'}, {kind: 'plan', plan: {...plan, questions: ['remove it?']}}),
    'p',
    'a',
  );
  expect(withQuestion.state.overlay).toMatchObject({
    kind: 'confirm',
    question: 'Apply the plan?',
    details: ['remove it?'],
  });
  expect(press(withQuestion, 'y').effects).toMatchObject([{kind: 'applyPlan'}]);
  for (const nothing of [{...plan, changes: 0}, {...plan, problem: 'error'}, undefined])
    expect(hintAfter(pressed(on({service: 'db'}, {kind: 'plan', plan: nothing}), 'p'), 'a')).toBe(
      'there is nothing to apply',
    );
});

test('the command of the last action is copied', () => {
  const scene = on({service: 'db'}, {kind: 'actionStarted', command: 'tscompose stop db'});
  expect(press(scene, 'y').effects).toEqual([{kind: 'copy', text: 'tscompose stop db'}]);
});

test('without services nothing can be done to one', () => {
  const empty = on(
    {service: 'web'},
    {kind: 'snapshot', containers: []},
    {kind: 'stack', project: 'shop', services: []},
  );
  for (const name of ['r', 's', 'e', 'o', 'w'])
    expect(hintAfter(empty, name)).toBe('there is no service to do that with');
});
