import type {Call} from '../faults/calls.ts';

/** Something that changes the store: words of the command line, or requests of an engine that no command makes. */
export type Job = {readonly words: readonly string[]} | {readonly calls: readonly Call[]};

/** Jobs that run at once, all of which succeed where nobody is killed. */
export interface KillCase {
  readonly name: string;
  /** Words of commands that make what it needs. */
  readonly before: readonly (readonly string[])[];
  readonly jobs: readonly Job[];
}

export interface Places {
  /** Of an image in a registry. */
  readonly source: string;
  /** Where nothing was pushed to yet. */
  readonly target: string;
}

/** What the images of these cases have, and no other. */
export const victimLabel = 'victim';

/** In the directory of the host: an archive of `loaded:1`, and a context of `built:1`. */
export function killCases({source, target}: Places): readonly KillCase[] {
  const pull: Job = {words: ['engine', 'pull', '-q', source]};
  const load: Job = {words: ['engine', 'load', '-q', '-i', 'image.tar']};
  const build: Job = {words: ['engine', 'build', '-q', '-t', 'built:1', 'context']};
  const prune: Job = {words: ['engine', 'image', 'prune', '-a', '-f', '--filter', `label=${victimLabel}`]};
  const commit: Job = {calls: [['containers', 'commit', 'bystander', {repository: 'committed'}]]};
  const loaded = [['engine', 'load', '-q', '-i', 'image.tar']];
  const tagged = [...loaded, ['engine', 'tag', 'loaded:1', target]];
  const push: Job = {words: ['engine', 'push', '-q', target]};
  return [
    {name: 'pull', before: [], jobs: [pull]},
    {name: 'load', before: [], jobs: [load]},
    {name: 'build', before: [], jobs: [build]},
    {name: 'prune', before: loaded, jobs: [prune]},
    {name: 'push', before: tagged, jobs: [push]},
    {name: 'save', before: loaded, jobs: [{words: ['engine', 'save', '-o', 'saved.tar', 'loaded:1']}]},
    {name: 'commit', before: [], jobs: [commit]},
    {name: 'two pulls of one image', before: [], jobs: [pull, pull]},
    {name: 'two loads of one archive', before: [], jobs: [load, load]},
    {name: 'a load beside a pull of the same layers', before: [], jobs: [load, pull]},
    {name: 'two equal builds', before: [], jobs: [build, build]},
    {name: 'a build beside a prune', before: loaded, jobs: [build, prune]},
    {name: 'a pull beside a prune', before: loaded, jobs: [pull, prune]},
    {name: 'two pushes of one image', before: tagged, jobs: [push, push]},
    {name: 'two commits of one container', before: [], jobs: [commit, commit]},
  ];
}
