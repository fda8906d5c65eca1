/** Where we decide otherwise than BuildKit, by the name of the case. */
export interface Difference {
  readonly why: string;
  /** It is refused, or it is not. */
  readonly fails?: boolean;
  readonly image?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly verdicts?: Readonly<Record<string, string>>;
}

const parents = 'the version of BuildKit that was asked knows no --parents yet';
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
};
