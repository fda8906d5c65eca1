import {expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import {noImage} from '../../../src/engine/build/plan/no-image.ts';

const names = ['build', 'runtime', 'assets'];
const unreachable = (hint?: string) => new TscomposeError('unavailable', 'cannot reach registry', {hint});

test('what is no image is named, and the stage that may be meant', () => {
  expect(noImage(unreachable('load it'), 'biuld', names)).toMatchObject({
    kind: 'unavailable',
    message: 'image "biuld": cannot reach registry',
    hint: 'did you mean "build"? Otherwise: load it',
  });
  expect(noImage(unreachable(), 'runtmie', names)).toMatchObject({hint: 'did you mean "runtime"?'});
});

test('names that are like none, or have a registry or a tag, are no stages', () => {
  for (const reference of ['node', 'host/build', 'biuld:1'])
    expect(noImage(unreachable('load it'), reference, names).hint).toBe('load it');
});

test('a failure that names the image, or was told already, stays as it is', () => {
  const told = new TscomposeError('notFound', 'No such image: biuld:latest');
  expect(noImage(told, 'biuld', []).message).toBe('No such image: biuld:latest');
  const canceled = new TscomposeError('canceled', 'canceled');
  expect(noImage(canceled, 'biuld', names)).toBe(canceled);
});
