import {expect, test} from 'vitest';
import {portTargets} from '../../src/tui/ports.ts';
import type {UiEventContent, UiState} from '../../src/tui/types.ts';
import {container, emptyScene, fold, health, mebibyte, now, picture, type Scene, shopScene} from './scenes.ts';
import {pressed} from './screens.ts';

const stack = (...names: readonly string[]): UiEventContent => ({
  kind: 'stack',
  project: 'shop',
  services: names.map((name) => ({name, wanted: 1})),
});

function scene(...events: readonly UiEventContent[]): Scene {
  const {state, logs} = emptyScene(100, 30);
  return {state: fold(state, ...events), logs};
}

const header = (...events: readonly UiEventContent[]): string =>
  picture(scene(...events))
    .split('\n')[0]
    ?.trim() ?? '';
const status = (one: Scene): string => picture(one).split('\n').at(-3)?.trim() ?? '';

test('the header counts what is up: jobs that are done and services that nobody wants are not missing', () => {
  const containers = [container('web', 1), container('job', 1, {phase: 'exited', exitCode: 0})];
  expect(header()).toMatch(/^shop +12:04:31$/);
  expect(header(stack('web', 'job', 'db'), {kind: 'snapshot', containers})).toContain('◐ 1/2 up');
  expect(header(stack('web', 'job'), {kind: 'snapshot', containers})).toContain('● 1/1 up');
  const stopped = [container('web', 1, {phase: 'exited', exitCode: 0, stopRequested: true})];
  expect(header(stack('web'), {kind: 'snapshot', containers: stopped})).toContain('◐ 0/1 up');
});

test('the header names what is wrong, what waits and how watching goes', () => {
  const ill = (service: string) => container(service, 1, {health: health('unhealthy')});
  expect(header(stack('db'), {kind: 'snapshot', containers: [ill('db')]})).toContain('✗ db unhealthy');
  expect(header(stack('db'), {kind: 'snapshot', containers: [ill('db'), ill('web')]})).toContain('✗ 2 in trouble');
  expect(header({kind: 'connection', connected: false})).toContain('engine not reached, values are old');
  const plan = {changes: 2, summary: '', text: '', services: [], starts: [], questions: []};
  expect(header({kind: 'plan', plan})).toContain('± 2 changes pending (p)');
  expect(header({kind: 'plan', plan: {...plan, problem: 'error'}})).toContain('✗ stack file has errors (p)');
  const watch = {status: 'on', rules: 1, p50Ms: undefined, p95Ms: undefined, pending: 0, detail: undefined} as const;
  expect(header({kind: 'watch', watch})).toContain('● watching, 1 rule');
  const building = [
    {service: 'web', step: '[2/3]'},
    {service: 'api', step: ''},
  ];
  expect(header({kind: 'watch', watch: {...watch, status: 'failed', pending: 3, building}})).toContain(
    '◐ watching, building web [2/3], api',
  );
  expect(header({kind: 'watch', watch: {...watch, pending: 3}})).toContain('◐ watching, 3 to bring in');
  expect(header({kind: 'watch', watch: {...watch, p50Ms: 410, p95Ms: 12_000}})).toContain(
    '● watching, save to serving 0.41s, p95 12s',
  );
  expect(header({kind: 'watch', watch: {...watch, status: 'paused'}})).toContain('‖ watch paused');
});

test('below stands the action that runs or just ended, then what happened last', () => {
  const started: UiEventContent = {kind: 'actionStarted', command: 'tscompose stop db'};
  expect(status(scene(started))).toMatch(/^. tscompose stop db +0\.0s$/);
  expect(status(scene(started, {kind: 'actionEnded', outcome: 'done'}))).toBe('✓ tscompose stop db  done in 0.0s');
  expect(status(scene(started, {kind: 'actionEnded', outcome: 'failed', message: 'no'}))).toBe(
    '✗ tscompose stop db  no',
  );
  expect(status(scene({kind: 'notice', level: 'warning', text: 'something'}))).toMatch(/^! something +now$/);
  const later = scene({kind: 'notice', level: 'info', text: 'something'});
  const earlier = later.state.events.map((event) => ({...event, time: now - 65_000}));
  expect(status({...later, state: {...later.state, events: earlier}})).toMatch(/^· something +1m05s ago$/);
});

test('a row says why: the reason of the health, the cause of the restart, what is used of what is allowed', () => {
  const {state, logs} = shopScene(200, 30);
  const rows = picture({state, logs}).split('\n');
  const db = rows.find((row) => row.startsWith('▸db'));
  expect(db).toMatch(/✗ unhealthy +✗ exit 2: too man… +9m .* 177% .*250M\/256M +3 ← oom +5432/);
});

test('restarts that a person asked for do not look like trouble', () => {
  const one = scene(
    stack('web'),
    {kind: 'snapshot', containers: [container('web', 1, {memoryLimit: 100 * mebibyte})]},
    {kind: 'container', container: container('web', 1, {startedAt: now})},
  );
  expect(picture({...one, state: {...one.state, columns: 200}})).toContain('1 ← command');
});

test('why tells each container, its health with what the probe said, its restarts with their times', () => {
  const text = picture(pressed(shopScene(100, 30), 'w'));
  expect(text).toContain('shop-db-1  ✗ unhealthy  9m, since 11:55:31');
  expect(text).toContain('health    unhealthy, 3 of 3 probes failed, the last: exit 2');
  expect(text).toContain('too many clients already');
  expect(text).toContain('memory    250M of 256M');
  expect(text).toContain('restarts  3  11:55:30  ← out of memory: limit 256 MiB');
  const of = (service: string): string => {
    const {state, logs} = shopScene(100, 30);
    return picture(pressed({state: {...state, selection: {service}}, logs}, 'w'));
  };
  expect(of('mail')).toContain('it has no container yet');
  expect(of('mail')).toContain('tscompose up -d mail');
});

test('why says so where a cause is not known, and where the stack file wants something else', () => {
  const plan = {changes: 1, summary: '', text: '', services: ['web'], starts: [], questions: []};
  const containers = [container('web', 1, {restarts: 4})];
  const text = picture(pressed(scene(stack('web'), {kind: 'snapshot', containers}, {kind: 'plan', plan}), 'w'));
  expect(text).toContain('restarts  4  why is not known: it was before this screen was opened');
  expect(text).toContain('It differs from the stack file');
});

test('probes that failed more often than needed are counted in a row', () => {
  const ill = health('unhealthy', {failures: 12, exitCode: 2});
  const text = picture(pressed(scene({kind: 'snapshot', containers: [container('db', 1, {health: ill})]}), 'w'));
  expect(text).toContain('unhealthy, 12 probes failed in a row, the last: exit 2');
});

test('an overlay of something that is gone says so', () => {
  const {state, logs} = pressed(shopScene(100, 30), 'w');
  const gone: UiState = fold(state, stack('web'), {kind: 'snapshot', containers: []});
  expect(picture({state: gone, logs})).toContain('it is gone');
});

test('empty panes say why they are empty', () => {
  expect(picture(scene())).toContain('reading the stack file');
  expect(picture(scene(stack()))).toContain('the stack file has no services');
  expect(picture(scene(stack('web')))).toContain('nothing runs yet');
  expect(picture(scene(stack('web'), {kind: 'snapshot', containers: [container('web', 1)]}))).toContain(
    'no output yet',
  );
  expect(picture(pressed(shopScene(100, 30), 'f', ...'nowhere'))).toContain('no line matches nowhere');
  expect(picture(pressed(scene(), 'v'))).toContain('nothing has happened since this screen was opened');
  expect(picture(pressed(scene(), 'p'))).toContain('not planned yet');
});

test('ports are told once, with an address that a browser opens', () => {
  const ports = [
    {address: '0.0.0.0', published: 8080, target: 80, protocol: 'tcp'},
    {address: '::', published: 8080, target: 80, protocol: 'tcp'},
    {address: '127.0.0.1', published: 8443, target: 443, protocol: 'tcp'},
    {address: '10.0.0.1', published: 9000, target: 80, protocol: 'tcp'},
    {address: '::1', published: 9001, target: 80, protocol: 'tcp'},
    {address: '0.0.0.0', published: 5432, target: 5432, protocol: 'tcp'},
    {address: '0.0.0.0', published: 53, target: 5353, protocol: 'udp'},
    {address: '', published: undefined, target: 7000, protocol: 'tcp'},
  ] as const;
  const {state} = scene(stack('web'), {kind: 'snapshot', containers: [container('web', 1, {ports})]});
  expect(portTargets(state, 'web')).toEqual([
    {text: '0.0.0.0:8080 -> 80/tcp', url: 'http://localhost:8080/'},
    {text: '127.0.0.1:8443 -> 443/tcp', url: 'https://localhost:8443/'},
    {text: '10.0.0.1:9000 -> 80/tcp', url: 'http://10.0.0.1:9000/'},
    {text: '[::1]:9001 -> 80/tcp', url: 'http://[::1]:9001/'},
    {text: '0.0.0.0:5432 -> 5432/tcp', url: undefined},
    {text: '0.0.0.0:53 -> 5353/udp', url: undefined},
  ]);
});

test('the line above logs of an earlier run, to which nothing is added, has no hole', () => {
  const heading = picture(pressed(shopScene(80, 24), 'P'))
    .split('\n')
    .find((line) => line.includes('previous logs'));
  expect(heading?.trimEnd()).toMatch(/^─ previous logs of \S+ ─+$/);
});
