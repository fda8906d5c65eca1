/** Where we decide otherwise than BuildKit, by the name of the case. */
export interface Difference {
  readonly why: string;
  /** It is refused, or it is not. */
  readonly fails?: boolean;
  readonly image?: object;
  readonly files?: Readonly<Record<string, string>>;
  /** Of BuildKit's files, those that are not there. */
  readonly gone?: readonly string[];
  readonly verdicts?: Readonly<Record<string, string>>;
  /** The line that is pointed to. */
  readonly line?: number;
}

const parents = 'the version of BuildKit that was asked knows no --parents yet';
const merges =
  'the engine that was asked keeps layers that its BuildKit cannot merge: there --link copies as without it';
const owner = 'BuildKit takes an owner that nobody has for root, without a word';
const excluded =
  'a source that is a file is excluded by its name, as the reference has it; BuildKit only looks below directories';
const subtree = ['x/sub', 'x/sub/deep', 'x/sub/deep/four.txt', 'x/sub/three'];
const a = 'file 644 0:0 87428fc522803d31';
const four = 'file 644 0:0 7de1555df0c27003';
const directory = 'directory 755 0:0 ';

export const differences: Readonly<Record<string, Difference>> = {
  'unknown owner': {why: 'BuildKit takes a name that nobody has for root, without a word', fails: true},
  'after: copy --link upon what changes': {
    why: 'its layer does not look at what is below, so it is not made again; BuildKit counts that it is stacked anew',
    verdicts: {'[4/4] COPY --link b /b': 'CACHED'},
  },
  parents: {
    why: parents,
    files: {
      x: directory,
      'x/d': directory,
      'x/d/one': 'file 644 0:0 4355a46b19d348dc',
      'x/d/sub': directory,
      'x/d/sub/deep': directory,
      'x/d/sub/deep/four.txt': four,
    },
  },
  'parents with a pivot': {
    why: parents,
    files: {x: directory, 'x/sub': directory, 'x/sub/deep': directory, 'x/sub/deep/four.txt': four},
  },
  'parents with wildcards': {
    why: parents,
    files: {
      x: directory,
      'x/d': directory,
      'x/d/sub': directory,
      'x/d/sub/deep': directory,
      'x/d/sub/deep/four.txt': four,
      'x/x.txt': 'file 644 0:0 73cb3858a687a849',
      'x/y.txt': 'file 644 0:0 3bb2abb69ebb27fb',
    },
  },
  'link into a linked directory': {
    why: merges,
    files: {lnk: directory, 'lnk/a': a, real: directory},
    gone: ['real/a'],
  },
  'link into a directory that is there': {why: merges, files: {x: directory}},
  'link to a directory without a slash': {why: merges, files: {x: a}, gone: ['x/a']},
  'chown by large numbers': {why: 'a group that the kernel does not take either way is told otherwise', fails: true},
  'an owner that is negative': {why: owner, fails: true},
  'a group that nobody has': {why: owner, fails: true},
  'several sources without a slash': {
    why: 'BuildKit writes one source over the other; the reference asks for a directory',
    fails: true,
  },
  'exclude of one of several sources': {why: excluded, files: {x: directory}, gone: ['x/b']},
  'exclude of a wildcard': {why: excluded, files: {x: directory}, gone: ['x/x.txt']},
  'exclude by a variable': {
    why: 'a variable of --exclude is put in as in every flag but --from; BuildKit takes it as it is written',
    files: {x: directory},
    gone: subtree,
  },
  'exclude with a slash in front': {
    why: 'a slash in front means nothing, as in an ignore file; BuildKit takes such a pattern for one that matches nothing',
    files: {x: directory},
    gone: subtree,
  },
  'here-document after a blank': {
    why: 'BuildKit reads the text away and looks for a file called "<<"; a shell takes the blank for nothing',
    fails: false,
    files: {x: directory, 'x/one': 'file 644 0:0 4355a46b19d348dc'},
  },
  'archive with a link that leads out': {
    why: 'links of an archive are those of the whole image, as in a container; BuildKit takes them for links beneath the target',
    files: {x: directory, 'x/out': 'symlink  0:0 /etc', etc: directory, 'etc/made': 'file 644 0:0 01a60e35df88d8b4'},
    gone: ['x/etc', 'x/etc/made'],
  },
  'archive with marks of removal': {
    why: 'a file of such a name in a layer removes another one for whoever pulls the image; BuildKit lets it through',
    fails: true,
  },
  'bind upon what is there': {
    why: 'files that name the machine are mounted upon what a step mounts, as in every container; BuildKit mounts them below',
    fails: true,
  },
  'memory upon what is there': {
    why: 'files that name the machine are mounted upon what a step mounts, as in every container; BuildKit mounts them below',
    files: {f: 'file 644 0:0 a3e455429b069991'},
  },
  'bind of a stage by its number': {
    why: 'a number is as good in --mount as it is in --from; BuildKit looks for an image of that name',
    fails: false,
    files: {g: 'file 644 0:0 4355a46b19d348dc'},
  },
  'a target by its number': {
    why: 'a number is as good in --target as it is in --from; BuildKit wants a name',
    fails: false,
    files: {one: a},
  },
  'comments alone': {why: 'BuildKit points to the last line', line: 1},
  'a directive twice': {why: 'the second one is pointed to', line: 2},
  'after: a mode of a directory': {
    why: 'BuildKit does not see that only the mode of a directory changed, and has the old one in the image',
    verdicts: {'[2/3] COPY . /x/': 'DONE', '[3/3] RUN true': 'DONE'},
  },
  'after: one more that is excluded': {
    why: 'what excludes nothing changes nothing, so nothing is made again',
    verdicts: {'[2/3] COPY --exclude=nothing d /x': 'CACHED', '[3/3] RUN true': 'CACHED'},
  },
};
