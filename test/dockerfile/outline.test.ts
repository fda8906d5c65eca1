import {expect, test} from 'vitest';
import {listTargets, outlineTarget} from '../../src/dockerfile/outline.ts';

const text = `# check=error=true
# VERSION of the tools
ARG VERSION=1
ARG TARGETPLATFORM
# base what all stages need
FROM busybox:\${VERSION} AS base
ARG HTTP_MIRROR
FROM base AS unused
ARG UNUSED
RUN --mount=type=secret,id=never true
# build compiles
# everything
FROM base AS Build
# LEVEL how much is optimised
ARG LEVEL=2
RUN --mount=type=secret,id=key --mount=type=secret,target=/run/x/token,required --mount=type=ssh make
RUN --mount=type=secret,id=key,required make again
FROM scratch
COPY --from=build /out /
COPY --from=2 /out /
`;
const source = {text, shown: 'Dockerfile'};

test('the stages of a Dockerfile, with what the comments above them say', () => {
  expect(listTargets(source)).toEqual([
    {name: 'base', index: 0, base: 'busybox:${VERSION}', default: false, description: 'what all stages need'},
    {name: 'unused', index: 1, base: 'base', default: false},
    {name: 'build', index: 2, base: 'base', default: false, description: 'compiles everything'},
    {index: 3, base: 'scratch', default: true},
  ]);
});

test('what a target takes: of the stages that it needs, and no others', () => {
  expect(outlineTarget(source, undefined)).toEqual({
    target: {index: 3, base: 'scratch', default: true},
    arguments: [
      {name: 'VERSION', value: '1', description: 'of the tools'},
      {name: 'HTTP_MIRROR'},
      {name: 'LEVEL', value: '2', description: 'how much is optimised'},
    ],
    secrets: [
      {id: 'key', required: true},
      {id: 'token', required: true},
    ],
    agents: [{id: 'default', required: false}],
  });
  expect(outlineTarget(source, 'BASE')?.arguments.map(({name}) => name)).toEqual(['VERSION', 'HTTP_MIRROR']);
  expect(outlineTarget(source, '1')?.secrets).toEqual([{id: 'never', required: false}]);
  expect(outlineTarget(source, 'none')).toBeUndefined();
});
