import {renameSync, unlinkSync, utimesSync} from 'node:fs';
import {expect, test} from 'vitest';
import {systemClock} from '../../../src/base/clock.ts';
import {watchFiles} from '../../../src/watch/files/watch-files.ts';
import {watchStackFiles} from '../../../src/watch/session/stack-files.ts';
import {eventually} from '../../support/host.ts';
import {temporaryDirectory} from '../temporary-directory.ts';

test('files that say something else are told, those that come and go too; a touch and other files are not', async () => {
  using directory = temporaryDirectory();
  directory.write('compose.yaml', 'one');
  directory.write('api.env', 'A=1');
  const changes: (readonly string[])[] = [];
  await using files = watchStackFiles({
    watch: watchFiles,
    clock: systemClock(Date.now),
    onChange: (paths) => changes.push(paths),
  });
  const [stack, env, override] = ['compose.yaml', 'api.env', 'compose.override.yaml'].map(directory.at) as [
    string,
    string,
    string,
  ];
  await files.expect([stack, env, override]);
  const told = async (paths: readonly string[]) => {
    await eventually(() => expect(changes).toEqual([paths]));
    changes.length = 0;
  };
  directory.write('compose.yaml', 'two');
  await told([stack]);
  utimesSync(env, 1, 1);
  directory.write('other.txt', '');
  directory.write('new.env', 'A=2');
  renameSync(directory.at('new.env'), env);
  await told([env]);
  directory.write('compose.override.yaml', '');
  await told([override]);
  unlinkSync(override);
  await told([override]);

  // Another list: what it says now is how it is known, what was known is compared with what was seen last.
  directory.write('more.env', 'B=1');
  await files.expect([stack, directory.at('more.env')]);
  expect(changes).toEqual([]);
  directory.write('more.env', 'B=2');
  await told([directory.at('more.env')]);
});
