import {chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {delegatedCgroups} from '../../../src/engine/container/delegated-cgroups.ts';

const user = 54_321;
let mount = '';
beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 'tscompose-delegated-'));
});
afterEach(() => rmSync(mount, {recursive: true}));

/** A directory with a cgroup's files, which belong to `owner`; `files`: which of them do. */
function cgroup(path: string, owner: number, files = ['cgroup.procs', 'cgroup.subtree_control']): void {
  const directory = join(mount, path);
  mkdirSync(directory, {recursive: true});
  chownSync(directory, owner, owner);
  for (const name of ['cgroup.procs', 'cgroup.subtree_control']) {
    writeFileSync(join(directory, name), '');
    if (files.includes(name)) chownSync(join(directory, name), owner, owner);
  }
}

const delegated = async (membership: string) =>
  (await delegatedCgroups({v1: [{mount: '/v1', controllers: ['cpu']}], v2: {mount}}, membership, user)).v2?.mount;

it('the topmost cgroup above the process that is the user’s counts, and no other', async () => {
  cgroup('user.slice', 0);
  cgroup('user.slice/user-54321.slice', 0);
  cgroup('user.slice/user-54321.slice/user@54321.service', user);
  cgroup('user.slice/user-54321.slice/user@54321.service/app.slice', user);
  cgroup('user.slice/user-54321.slice/user@54321.service/app.slice/run-1.scope', user);
  cgroup('user.slice/user-54321.slice/session-1.scope', 0);
  const top = join(mount, 'user.slice/user-54321.slice/user@54321.service');
  expect(
    await delegated(
      '1:name=systemd:/elsewhere\n0::/user.slice/user-54321.slice/user@54321.service/app.slice/run-1.scope\n',
    ),
  ).toBe(top);
  expect(await delegated('0::/user.slice/user-54321.slice/user@54321.service\n')).toBe(top);
  expect(await delegated('0::/user.slice/user-54321.slice/session-1.scope\n')).toBeUndefined();
  expect(await delegated('0::/\n')).toBeUndefined();
  expect(await delegated('4:memory:/user.slice\n')).toBeUndefined();
});

it('a directory whose files are not the user’s was not given, nor one of another user', async () => {
  cgroup('moved', user, ['cgroup.procs']);
  cgroup('switched', user, ['cgroup.subtree_control']);
  cgroup('other', user + 1);
  for (const name of ['moved', 'switched', 'other', 'absent'])
    expect(await delegated(`0::/${name}\n`), name).toBeUndefined();
});

it('cgroups of version 1 are given to nobody', async () => {
  cgroup('given', user);
  const found = await delegatedCgroups({v1: [{mount: '/v1', controllers: ['cpu']}], v2: {mount}}, '0::/given\n', user);
  expect(found).toEqual({v1: [], v2: {mount: join(mount, 'given')}});
  expect(await delegatedCgroups({v1: [{mount: '/v1', controllers: ['cpu']}], v2: undefined}, '', user)).toEqual({
    v1: [],
    v2: undefined,
  });
});
