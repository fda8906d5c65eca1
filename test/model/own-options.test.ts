import {expect, test} from 'vitest';
import {lowerService} from '../../src/model/lower.ts';
import {specOf} from '../../src/model/spec.ts';
import {failure, load} from './memory-files.ts';

const stack = (own: string) => `services:\n  web:\n    image: x\n    x-tscompose: ${own}\n`;

async function lowered(own: string) {
  const {project} = await load({'/stack/compose.yaml': stack(own)});
  const {body} = lowerService({project, service: 'web', replica: 1, features: new Set(['files']), version: '1.2.3'});
  return {label: body.Labels?.['io.tscompose.restart-unhealthy'], spec: specOf(project, 'web')['x-tscompose']};
}

test('an option becomes a label of the container, and a change of it is seen', async () => {
  expect(await lowered('{restart_unhealthy: true}')).toEqual({label: 'true', spec: {restart_unhealthy: true}});
  expect(await lowered('{restart_unhealthy: false}')).toEqual({label: undefined, spec: {restart_unhealthy: false}});
  for (const nothing of ['{}', '']) expect(await lowered(nothing)).toEqual({label: undefined, spec: undefined});
});

test.each([
  [
    '{restart_unhealty: true}',
    'services.web.x-tscompose: unknown option "restart_unhealty"',
    'did you mean "restart_unhealthy"?',
  ],
  ['{other: 1}', 'services.web.x-tscompose: unknown option "other"', 'the options are restart_unhealthy'],
  [
    '{restart_unhealthy: always}',
    'services.web.x-tscompose.restart_unhealthy: expected true or false',
    'write restart_unhealthy: true',
  ],
  ['[restart_unhealthy]', 'services.web.x-tscompose: expected a mapping', 'the options are restart_unhealthy'],
])('%s is refused with its place', async (own, message, hint) => {
  const {diagnostics} = await failure({'/stack/compose.yaml': stack(own)});
  expect(diagnostics).toMatchObject([{message, hint, line: 4}]);
});
