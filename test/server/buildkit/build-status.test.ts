import {expect, test} from 'vitest';
import {createStatus} from '../../../src/server/buildkit/build-status.ts';

test('of a step that prints without end no more is told than BuildKit tells', () => {
  const status = createStatus({build: 'b', now: () => 0, dockerfile: () => ({text: '', shown: 'Dockerfile'})});
  status({kind: 'step', step: 1, title: 'RUN yes', status: 'start'});
  status({kind: 'step', step: 2, title: 'RUN true', status: 'start'});
  const print = (step: number, text: string) =>
    Buffer.concat(
      (status({kind: 'output', step, stream: 'stdout', text})?.logs ?? []).map(({msg}) => msg ?? Buffer.of()),
    );
  const piece = 'y'.repeat(1_500_000);
  expect(print(1, piece).length).toBe(piece.length);
  expect(print(1, piece).toString().slice(-60)).toMatch(/y\n\[output clipped, log limit 2MiB reached\]\n$/);
  expect(print(1, piece).length).toBe(0);
  expect(print(2, 'other').toString()).toBe('other');
});
