import {execFileSync} from 'node:child_process';
import {expect, test} from 'vitest';
import {gitLocks} from '../../../src/watch/files/git-locks.ts';
import {temporaryDirectory} from '../temporary-directory.ts';

test('one lock a repository: from inside it, in a work tree of its own, and none outside', () => {
  using directory = temporaryDirectory();
  const git = (cwd: string, ...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'gc.auto=0', ...args], {
      cwd,
      stdio: 'ignore',
      env: {...process.env, HOME: directory.path},
    });
  directory.write('main/src/deep/a', 'a');
  const main = directory.at('main');
  git(main, 'init', '-q');
  git(main, 'add', '.');
  git(main, 'commit', '-q', '-m', 'one');
  git(main, 'worktree', 'add', '-q', directory.at('tree'), '-b', 'other');

  expect(gitLocks([main, directory.at('main/src/deep'), directory.at('main/src/deep/a')])).toEqual([
    directory.at('main/.git/index.lock'),
  ]);
  expect(gitLocks([directory.at('tree/src')])).toEqual([directory.at('main/.git/worktrees/tree/index.lock')]);
  // The lock is where git really puts it.
  expect(execFileSync('git', ['rev-parse', '--git-path', 'index.lock'], {cwd: directory.at('tree')}).toString()).toBe(
    `${directory.at('main/.git/worktrees/tree/index.lock')}\n`,
  );
  expect(gitLocks([directory.at('nowhere/at/all'), directory.path])).toEqual([]);
});

test('a .git file that names no place is no repository', () => {
  using directory = temporaryDirectory();
  directory.write('a/.git', 'something else\n');
  directory.write('b/.git', 'gitdir: ../store\n');
  expect(gitLocks([directory.at('a'), directory.at('b')])).toEqual([directory.at('store/index.lock')]);
});
