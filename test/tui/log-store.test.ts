import fc from 'fast-check';
import {expect, test} from 'vitest';
import {type LogQuery, LogStore} from '../../src/tui/log-store.ts';
import type {LogSource} from '../../src/tui/types.ts';

const all: LogQuery = {service: undefined, number: undefined, filter: '', search: '', times: undefined};
const source = (service: string, number = 1): LogSource => ({id: `${service}-${number}`, service, number});
const push = (
  logs: LogStore,
  from: LogSource,
  text: string,
  time: number,
  stream: 'stdout' | 'stderr' = 'stdout',
): void => logs.push(from, stream, Buffer.from(text), time);
const texts = (logs: LogStore, query: Partial<LogQuery> = {}): readonly string[] =>
  logs
    .query({...all, ...query})
    .upTo('end', 1000)
    .map(({text}) => text);

test('lines of several services stand in order of time, those of one as it wrote them', () => {
  const logs = new LogStore();
  push(logs, source('web'), 'w1\nw2\n', 10);
  push(logs, source('db'), 'd1\n', 5);
  push(logs, source('db'), 'd2\n', 20);
  push(logs, source('web'), 'w3\n', 15);
  // The clock of "web" went back: its lines do not.
  push(logs, source('web'), 'w4\n', 1);
  expect(texts(logs)).toEqual(['d1', 'w1', 'w2', 'w3', 'w4', 'd2']);
});

test('pieces become lines, streams are not mixed, characters in two pieces are whole', () => {
  const logs = new LogStore();
  const web = source('web');
  push(logs, web, 'out ', 1);
  push(logs, web, 'err\n', 2, 'stderr');
  push(logs, web, 'goes on\n', 3);
  const [first = 0, ...rest] = Buffer.from('é\n');
  logs.push(web, 'stdout', Uint8Array.of(first), 4);
  logs.push(web, 'stdout', Uint8Array.from(rest), 5);
  expect(texts(logs)).toEqual(['out goes on', 'err', 'é']);
});

test('a line that has not ended is shown and grows, but is not searched until it has', () => {
  const logs = new LogStore();
  push(logs, source('web'), 'password:', 1);
  expect(texts(logs)).toEqual(['password:']);
  expect(texts(logs, {search: 'password'})).toEqual(['password:']);
  push(logs, source('web'), ' ok', 2);
  expect(texts(logs)).toEqual(['password: ok']);
  push(logs, source('web'), '\n', 3);
  expect(texts(logs, {search: 'ok'})).toEqual(['password: ok']);
  push(logs, source('db'), 'no line feed', 4);
  logs.end(source('db'));
  push(logs, source('db'), 'next\n', 5);
  expect(texts(logs, {service: 'db'})).toEqual(['no line feed', 'next']);
});

test('of a progress bar the last state is kept, however long it runs', () => {
  const logs = new LogStore();
  for (let percent = 0; percent <= 100; percent++) push(logs, source('web'), `\r${percent}%`, percent);
  push(logs, source('web'), '\r\n', 101);
  expect(texts(logs)).toEqual(['100%']);
});

test('a line of megabytes is cut, with how much is missing', () => {
  const logs = new LogStore();
  push(logs, source('web'), 'x'.repeat(5_000_000), 1);
  push(logs, source('web'), `${'y'.repeat(1000)}\n`, 2);
  const [line = ''] = texts(logs);
  expect(line.length).toBeLessThan(8300);
  expect(line.slice(-32)).toBe('x… (4992808 more characters)'.padStart(32, 'x'));
});

test('services, replicas and times narrow what is shown', () => {
  const logs = new LogStore();
  push(logs, source('web', 1), 'one\n', 10);
  push(logs, source('web', 2), 'two\n', 20);
  push(logs, source('db'), 'three\n', 30);
  logs.note(source('web', 1), 'web-1 started again', 40);
  expect(texts(logs, {service: 'web'})).toEqual(['one', 'two', 'web-1 started again']);
  expect(texts(logs, {service: 'web', number: 2})).toEqual(['two']);
  expect(texts(logs, {service: 'web', times: [{number: 1, from: 0, to: 10}]})).toEqual([]);
  expect(texts(logs, {service: 'web', times: [{number: 1, from: 10, to: 11}]})).toEqual(['one']);
  // What we say is not what a service wrote.
  expect(texts(logs, {search: 'again'})).toEqual([]);
});

test('what does not fit is dropped from the oldest, a service at a time', () => {
  const logs = new LogStore({linesPerService: 3, textPerService: 100});
  for (let line = 0; line < 10; line++) push(logs, source('loud'), `loud ${line}\n`, line);
  push(logs, source('calm'), 'calm\n', 0);
  expect(texts(logs)).toEqual(['calm', 'loud 7', 'loud 8', 'loud 9']);
  push(logs, source('loud'), `${'x'.repeat(95)}\n`, 20);
  expect(texts(logs, {service: 'loud'})).toEqual(['x'.repeat(95)]);
});

test('results are read from both ends and from a position', () => {
  const logs = new LogStore();
  for (let line = 0; line < 20; line++) push(logs, source(line % 2 === 0 ? 'web' : 'db'), `${line}\n`, line);
  const result = logs.query(all);
  const at = result.upTo('end', 10)[0];
  if (at === undefined) throw new Error('there are no lines');
  expect([result.count, result.oldest()?.text, result.newest()?.text, at.text, result.rank(at)]).toEqual([
    20,
    '0',
    '19',
    '10',
    11,
  ]);
  expect(result.upTo(at, 3).map(({text}) => text)).toEqual(['8', '9', '10']);
  expect(result.after(at, 3).map(({text}) => text)).toEqual(['11', '12', '13']);
  expect(result.after('start', 2).map(({text}) => text)).toEqual(['0', '1']);
});

test('a search that is kept up to date finds what a new one finds', () => {
  const step = fc.record({
    service: fc.constantFrom('web', 'db', 'cache'),
    text: fc.constantFrom('error\n', 'info\n', 'warn error\n', 'half', '\r', '\n', 'a\nerror b\n'),
    time: fc.integer({min: 0, max: 50}),
  });
  fc.assert(
    fc.property(fc.array(step, {maxLength: 60}), (steps) => {
      const logs = new LogStore({linesPerService: 5});
      const queries: readonly LogQuery[] = [
        {...all, search: 'error'},
        {...all, service: 'web'},
        {...all, filter: '!info', search: '/er+or/'},
      ];
      const kept = queries.map((query) => logs.query(query));
      for (const {service, text, time} of steps) push(logs, source(service), text, time);
      for (const service of ['web', 'db', 'cache']) logs.end(source(service));
      for (const [index, query] of queries.entries()) {
        const fresh = logs
          .query(all)
          .upTo('end', 1000)
          .filter(({text, service}) =>
            query.service === undefined
              ? text.includes('error') && (query.filter === '' || !text.includes('info'))
              : service === query.service,
          );
        expect(kept[index]?.upTo('end', 1000)).toEqual(fresh);
        expect(kept[index]?.count).toBe(fresh.length);
      }
    }),
  );
});

test('the version rises with every change', () => {
  const logs = new LogStore();
  const versions = [logs.version];
  push(logs, source('web'), 'x\n', 1);
  versions.push(logs.version);
  logs.note(source('web'), 'y', 2);
  versions.push(logs.version);
  logs.end(source('web'));
  versions.push(logs.version);
  expect(new Set(versions).size).toBe(4);
});
