import {afterAll, beforeAll, expect, test} from 'vitest';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {eventsOf, plainBody} from './plain-body.ts';

let bed: TestEngine;

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
}, 60_000);

afterAll(() => bed?.close());

test('times that are to be set are refused, also as an argument that the Dockerfile names', async () => {
  const body = plainBody('FROM scratch\nARG SOURCE_DATE_EPOCH\nENV A=1\n', {arguments: {SOURCE_DATE_EPOCH: '0'}});
  await expect(eventsOf(bed.engine, body)).rejects.toMatchObject({
    kind: 'unsupported',
    message: 'build argument SOURCE_DATE_EPOCH: times of images cannot be set',
  });
});
