import {describe, expect, it} from 'vitest';
import {type CopyDestination, placeCopy} from '../../../src/cli/copy/place.ts';

const file = {name: 'f', directory: false};
const directory = {name: 'd', directory: true};
const content = {name: '.', directory: true};

describe('a copy', () => {
  const cases: readonly [string, typeof file, CopyDestination, string][] = [
    ['a file into a directory', file, {path: '/to', found: 'directory'}, '/to + f'],
    ['a file over a file', file, {path: '/to/x', found: 'other'}, '/to + x'],
    ['a file under a new name', file, {path: 'to/x', found: undefined}, 'to + x'],
    ['a file under a new name here', file, {path: 'x', found: undefined}, '. + x'],
    ['a directory into a directory', directory, {path: '/to/', found: 'directory'}, '/to/ + d'],
    ['a directory under a new name', directory, {path: '/to/x/', found: undefined}, '/to + x'],
    ['content into a directory', content, {path: '/to', found: 'directory'}, '/to + '],
    ['content as a new directory', content, {path: '/to/new', found: undefined}, '/to + new'],
    ['the root into a directory', {name: '/', directory: true}, {path: '/to', found: 'directory'}, '/to + '],
  ];
  it.each(cases)('%s', (_, source, destination, expected) => {
    const {directory: into, name} = placeCopy(source, destination);
    expect(`${into} + ${name}`).toBe(expected);
  });

  const refused: readonly [string, typeof file, CopyDestination, string][] = [
    [
      'a directory over a file',
      directory,
      {path: '/x', found: 'other'},
      'cannot copy a directory to "/x": it is a file',
    ],
    [
      'a file over a file with a slash',
      file,
      {path: '/x/', found: 'other'},
      'cannot copy to "/x/": it is no directory',
    ],
    [
      'a file into no directory',
      file,
      {path: 'no/', found: undefined},
      'cannot copy to "no/": there is no such directory',
    ],
  ];
  it.each(refused)('%s is refused', (_, source, destination, message) => {
    expect(() => placeCopy(source, destination)).toThrow(message);
  });
});
