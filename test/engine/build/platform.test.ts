import {createReadStream} from 'node:fs';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;
let own = '';
let other = '';

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
  own = (await bed.engine.images.inspect('busybox')).Architecture;
  other = own === 's390x' ? 'ppc64le' : 's390x';
}, 60_000);

afterAll(() => bed?.close());

const wrong = () => `platform (linux/${own}) does not match the specified platform (linux/${other})`;

test('an image of another platform than the one that was asked for is not built upon', async () => {
  const built = eventsOf(bed.engine, plainBody('FROM busybox\nENV A=1\n', {platform: `linux/${other}`}));
  await expect(built).rejects.toThrow(`image with reference busybox was found but its ${wrong()}`);
  const copied = plainBody('FROM scratch\nCOPY --from=busybox /bin/sh /\n', {platform: `linux/${other}`});
  await expect(eventsOf(bed.engine, copied)).rejects.toThrow(wrong());
});

test('a stage may ask for another one by itself', async () => {
  const wanting = (value: string) => `ARG P=linux/${other}\nFROM --platform=${value} busybox\nENV A=1\n`;
  await expect(eventsOf(bed.engine, plainBody(wanting('$P')))).rejects.toThrow(wrong());
  const text = wanting('$BUILDPLATFORM');
  const events = await eventsOf(bed.engine, plainBody(text, {platform: `linux/${other}`}));
  expect(events.at(-1)).toMatchObject({kind: 'built'});
});

test('what is no platform is told with its place', async () => {
  const error = await eventsOf(bed.engine, plainBody('FROM --platform=a/b/c/d busybox\n')).catch((reason) => reason);
  expect(error.diagnostics).toMatchObject([{code: 'invalid-platform', line: 1, column: 6}]);
});
