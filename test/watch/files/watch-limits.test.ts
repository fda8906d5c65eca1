import {mkdirSync, symlinkSync} from 'node:fs';
import {expect, test} from 'vitest';
import {inotifyUse, queuedEvents, watchLimitError} from '../../../src/watch/files/watch-limits.ts';
import {temporaryDirectory} from '../temporary-directory.ts';

/** A `/proc` with two processes that watch files, and one that is closed. */
function makeProc(limits: Readonly<Record<string, string>>, openFiles = 100) {
  const directory = temporaryDirectory();
  for (const [path, value] of Object.entries(limits)) directory.write(`sys/${path}`, `${value}\n`);
  mkdirSync(directory.at('100/fd'), {recursive: true});
  directory.write('100/fdinfo/3', 'pos: 0\ninotify wd:1 ino:5\ninotify wd:2 ino:6\n');
  directory.write('100/fdinfo/4', 'pos: 0\ninotify wd:1 ino:7\n');
  symlinkSync('anon_inode:inotify', directory.at('100/fd/3'));
  symlinkSync('anon_inode:inotify', directory.at('100/fd/4'));
  symlinkSync('/dev/null', directory.at('100/fd/5'));
  mkdirSync(directory.at('200'));
  directory.write(
    '100/limits',
    `Limit  Soft Limit  Hard Limit\nMax open files            ${openFiles}   4096   files\n`,
  );
  symlinkSync('100', directory.at('self'));
  return directory;
}

const full = (code: string) => Object.assign(new Error(code), {code});

test('use is counted over the processes of the user', () => {
  using proc = makeProc({});
  expect(inotifyUse(proc.path)).toEqual({watches: 3, instances: 2});
});

test('the message names the limit that was hit, the use of it, and what raises it', () => {
  using proc = makeProc({'fs/inotify/max_user_watches': '8192', 'user/max_inotify_watches': '1000000'});
  const error = watchLimitError(full('ENOSPC'), proc.path);
  expect({kind: error.kind, message: error.message, hint: error.hint}).toEqual({
    kind: 'exhausted',
    message: 'cannot watch files: 3 of 8192 inotify watches of this user are in use (fs.inotify.max_user_watches)',
    hint: 'run "sudo sysctl -w fs.inotify.max_user_watches=524288"',
  });
});

test('the lower of the two limits is meant, and a high one is doubled', () => {
  using proc = makeProc({'fs/inotify/max_user_watches': '900000', 'user/max_inotify_watches': '800000'});
  const {message, hint} = watchLimitError(full('ENOSPC'), proc.path);
  expect(message).toContain('3 of 800000 inotify watches of this user are in use (user.max_inotify_watches)');
  expect(hint).toBe('run "sudo sysctl -w user.max_inotify_watches=1600000"');
});

test('instances have a limit of their own, and so have open files', () => {
  using proc = makeProc({'fs/inotify/max_user_instances': '128'});
  expect(watchLimitError(full('EMFILE'), proc.path)).toMatchObject({
    message: 'cannot watch files: 2 of 128 inotify instances of this user are in use (fs.inotify.max_user_instances)',
    hint: 'run "sudo sysctl -w fs.inotify.max_user_instances=1024"',
  });
  using few = makeProc({'fs/inotify/max_user_instances': '128'}, 4);
  expect(watchLimitError(full('EMFILE'), few.path)).toMatchObject({
    message: 'cannot watch files: 3 of 4 files of this process are open (RLIMIT_NOFILE)',
    hint: 'run "ulimit -n 4096" first',
  });
});

test('where the kernel does not tell its limits, the use is told', () => {
  using proc = makeProc({});
  expect(watchLimitError(full('ENOSPC'), proc.path)).toMatchObject({
    message: "cannot watch files: this user's inotify watches are used up, 3 are in use",
    hint: 'run "sudo sysctl -w fs.inotify.max_user_watches=524288"',
  });
  expect(queuedEvents(proc.path)).toBe(16_384);
});
