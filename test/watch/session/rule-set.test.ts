import {chmodSync, symlinkSync} from 'node:fs';
import {expect, test} from 'vitest';
import {systemClock} from '../../../src/base/clock.ts';
import type {WatchRule} from '../../../src/model/types.ts';
import {openHostTree} from '../../../src/watch/files/host-tree.ts';
import type {WatchFilesOptions} from '../../../src/watch/files/types.ts';
import {watchFiles} from '../../../src/watch/files/watch-files.ts';
import {openRuleSet, type RuleChanges} from '../../../src/watch/session/rule-set.ts';
import type {ServiceRule} from '../../../src/watch/session/rules.ts';
import {eventually} from '../../support/host.ts';
import {temporaryDirectory} from '../temporary-directory.ts';

test('one watcher for all rules; a change is told to each rule that it concerns, by content', async () => {
  using directory = temporaryDirectory();
  directory.write('src/a', 'a');
  directory.write('src/deep/b', 'b');
  const ruleOf = (id: string, path: string, parts: Partial<WatchRule> = {}): ServiceRule => ({
    id,
    service: id.split(' ')[0] ?? '',
    target: '/app',
    rule: {path: directory.at(path), action: 'sync', ignore: [], include: [], initial_sync: false, ...parts},
  });
  const rules = [
    ruleOf('api 0', 'src'),
    ruleOf('web 0', 'src'),
    ruleOf('web 1', 'src/deep', {action: 'restart'}),
    ruleOf('web 2', 'src', {ignore: ['deep']}),
  ];
  const told: (readonly RuleChanges[])[] = [];
  const opened: WatchFilesOptions[] = [];
  await using set = await openRuleSet({
    rules,
    files: {
      watch(options) {
        opened.push(options);
        return watchFiles(options);
      },
      openTree: (root) => openHostTree(root, Date.now),
    },
    clock: systemClock(Date.now),
    onChanges: (changes) => told.push(changes),
    onNotice: () => {},
  });
  expect(opened).toHaveLength(1);
  // Rules that look at the same files share what is known of them.
  expect(opened[0]?.roots).toHaveLength(3);
  expect(set.facts()).toMatchObject({files: 2 + 1 + 1, directories: 1});

  const next = async () => {
    await eventually(() => expect(told).not.toEqual([]));
    return Object.fromEntries(told.splice(0).flatMap((changes) => changes.map(({rule, paths}) => [rule.id, paths])));
  };
  directory.write('src/deep/b', 'changed');
  expect(await next()).toEqual({'api 0': ['deep/b'], 'web 0': ['deep/b'], 'web 1': ['b']});
  symlinkSync('a', directory.at('src/link'));
  expect(await next()).toEqual({'api 0': ['link'], 'web 0': ['link'], 'web 2': ['link']});
  chmodSync(directory.at('src/a'), 0o700);
  expect(await next()).toEqual({'api 0': ['a'], 'web 0': ['a'], 'web 2': ['a']});
  expect(set.filesOf('web').wanted('/app/a')?.source).toBe(directory.at('src/a'));
  // Only syncing rules have files to bring.
  expect(set.filesOf('web').rules.map(({rule}) => rule.id)).toEqual(['web 0', 'web 2']);
});
