import {expect, test} from 'vitest';
import {applyChanges} from '../../../src/engine/image/changes.ts';

test.each([
  ['CMD echo hello', {Cmd: ['/bin/sh', '-c', 'echo hello']}],
  ['entrypoint ["/app", "a b"]', {Entrypoint: ['/app', 'a b']}],
  ['ENV OLD some value', {Env: ['OLD=some value']}],
  [`ENV A=1 B='x "y"' C=\\ d`, {Env: ['A=1', 'B=x "y"', 'C= d']}],
  ['LABEL "key with blanks"=v', {Labels: {'key with blanks': 'v'}}],
  ['VOLUME ["/a", "/b"]', {Volumes: {'/a': {}, '/b': {}}}],
  ['EXPOSE 80/TCP 81', {ExposedPorts: {'80/tcp': {}, '81/tcp': {}}}],
  ['HEALTHCHECK NONE', {Healthcheck: {Test: ['NONE']}}],
  [
    'HEALTHCHECK --timeout=1m --start-period=5s CMD ["a"]',
    {Healthcheck: {Test: ['CMD', 'a'], Timeout: 60e9, StartPeriod: 5e9}},
  ],
])('%s', (line, expected) => {
  expect(applyChanges({}, [line])).toEqual(expected);
});

test('lines add to what was there', () => {
  expect(applyChanges({Env: ['A=1', 'B=2'], Labels: {x: '1'}}, ['ENV A=3 C=4', 'LABEL y=2'])).toEqual({
    Env: ['A=3', 'B=2', 'C=4'],
    Labels: {x: '1', y: '2'},
  });
});

test('a directory may be told from the one before, an entrypoint takes the command away that nobody gave with it', () => {
  expect(
    applyChanges({WorkingDir: '/a', Cmd: ['of', 'before']}, ['WORKDIR b', 'WORKDIR ../c', 'ENTRYPOINT ["x"]']),
  ).toEqual({
    WorkingDir: '/a/c',
    Cmd: null,
    Entrypoint: ['x'],
  });
  expect(applyChanges({Cmd: ['of', 'before']}, ['CMD ["y"]', 'ENTRYPOINT ["x"]'])).toEqual({
    Cmd: ['y'],
    Entrypoint: ['x'],
  });
});

test.each([
  'RUN x',
  'CMD',
  '',
  'EXPOSE 99999',
  'EXPOSE a',
  'ENV "a',
  'LABEL x',
  'HEALTHCHECK x',
  'HEALTHCHECK --colour=1s CMD x',
  'HEALTHCHECK --interval=x CMD x',
  'ONBUILD RUN x',
])('refused: %s', (line) => {
  expect(() => applyChanges({}, [line])).toThrowError(expect.objectContaining({kind: 'invalid'}));
});
