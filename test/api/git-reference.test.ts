import {expect, test} from 'vitest';
import {readContextSource, readFetchedSource} from '../../src/api/build-source.ts';
import {parseGitReference} from '../../src/api/git-reference.ts';
import {redactUrls} from '../../src/base/redact-url.ts';

const commit = '0123456789abcdef0123456789abcdef01234567';

test.each([
  ['https://host/a.git', {url: 'https://host/a.git', scheme: 'https', host: 'host', ref: '', subdir: ''}],
  [
    'https://host:8443/a/b.git#main:x/y',
    {url: 'https://host:8443/a/b.git', host: 'host:8443', ref: 'main', subdir: 'x/y'},
  ],
  ['https://host/a.git#:x/', {ref: '', subdir: 'x'}],
  ['https://me:pass@host/a.git', {url: 'https://host/a.git', user: 'me', password: 'pass'}],
  ['https://me%40x:p%3Ass@host/a.git', {user: 'me@x', password: 'p:ss'}],
  ['ssh://git@host:22/a', {url: 'ssh://git@host:22/a', scheme: 'ssh', user: undefined, password: undefined}],
  ['ssh://git:pass@host/a.git', {url: 'ssh://git@host/a.git', password: undefined}],
  ['git@host:a/b.git#v1', {url: 'git@host:a/b.git', scheme: 'ssh', host: 'host', ref: 'v1'}],
  ['git@host:a/b?branch=x&subdir=s', {url: 'git@host:a/b', ref: 'refs/heads/x', subdir: 's'}],
  ['git://host/a', {url: 'git://host/a', scheme: 'git'}],
  ['github.com/a/b', {url: 'https://github.com/a/b', scheme: 'https'}],
  ['https://host/a.git?tag=v1&keep-git-dir=1', {ref: 'refs/tags/v1', keepGitDir: true, submodules: true}],
  ['https://host/a.git?ref=v1&checksum=abcdef0', {ref: 'v1', checksum: 'abcdef0'}],
  [`https://host/a.git?commit=${commit}`, {ref: commit, checksum: commit}],
  ['https://host/a.git?submodules=false', {submodules: false, keepGitDir: undefined}],
])('%s names a place in a repository', (text, parts) => {
  expect(parseGitReference(text)).toMatchObject(parts);
});

test.each(['a/b.git', './a.git', '/a.git', 'https://host/a.tar.gz', 'https://host/git', 'docker-image://a', 'host:a'])(
  '%s names none',
  (text) => {
    expect(parseGitReference(text)).toBeUndefined();
  },
);

test.each([
  ['https://host/a.git?what=1', '"what" is not known'],
  ['https://host/a.git?ref=', '"ref" needs one value'],
  ['https://host/a.git?ref=a&ref=b', '"ref" needs one value'],
  ['https://host/a.git?ref=a#b', 'it has two values for "ref"'],
  ['https://host/a.git?submodules=maybe', '"submodules" is true or false, not "maybe"'],
  ['https://host/a.git?checksum=xyz', 'checksum "xyz" is no name of a commit'],
  ['https://host/a.git#-x', '"-x" is no name of a branch, tag or commit'],
  ['https://host/a.git#a%0Ab', 'is no name of a branch, tag or commit'],
  ['https://host/a.git#+a', '"+a" is no name of a branch, tag or commit'],
  ['https://host/a.git#a..b', '"a..b" is no name of a branch, tag or commit'],
  ['https://host/a.git#a:../b', 'directory "../b" leads out of it'],
  ['git@host:-x', 'it has no path of a repository'],
  ['ssh://host', 'it has no path of a repository'],
  ['https://me:secret@host/a.git#-x', 'repository "https://xxxxx:xxxxx@host/a.git#-x"'],
])('%s is refused', (text, message) => {
  expect(() => parseGitReference(text)).toThrow(message);
});

const absolute = (path: string) => `/cwd/${path}`;

test.each([
  ['x', {kind: 'directory', path: '/cwd/x'}],
  ['docker-image://a@sha256:00', {kind: 'image', reference: 'a@sha256:00'}],
  ['oci-layout://x', {kind: 'layout', path: '/cwd/x'}],
  ['oci-layout://x:1.2', {kind: 'layout', path: '/cwd/x', tag: '1.2'}],
  ['oci-layout://x/y@sha256:0a', {kind: 'layout', path: '/cwd/x/y', digest: 'sha256:0a'}],
  ['oci-layout://x:v@sha256:0a', {kind: 'layout', path: '/cwd/x', tag: 'v', digest: 'sha256:0a'}],
  ['https://host/a.git#b', {kind: 'git', url: 'https://host/a.git#b'}],
  ['http://host/a.tgz', {kind: 'http', url: 'http://host/a.tgz'}],
])('named context %s', (text, source) => {
  expect(readContextSource(text, absolute)).toEqual(source);
});

test.each([
  ['target:base', 'only bake knows other builds'],
  ['input:base', 'name a directory, a repository'],
  ['s3://bucket/x', 'name a directory, a repository'],
])('named context %s is refused by name', (text, hint) => {
  expect(() => readContextSource(text, absolute)).toThrow(
    expect.objectContaining({
      kind: 'unsupported',
      message: `build context "${text}": contexts of the kind "${text.split(':')[0]}" are not supported`,
      hint: expect.stringContaining(hint),
    }),
  );
});

test('a directory is no context of the network', () => {
  expect(readFetchedSource('./a.git')).toBeUndefined();
  expect(readFetchedSource('git@host:a')).toEqual({kind: 'git', url: 'git@host:a'});
});

test.each([
  ['ADD https://a:b@host/x /y', 'ADD https://xxxxx:xxxxx@host/x /y'],
  ['https://token@host/x and http://u:@h/', 'https://xxxxx@host/x and http://xxxxx:xxxxx@h/'],
  ['https://:p@host/', 'https://xxxxx:xxxxx@host/'],
  ['https://a:p@ss@host/', 'https://xxxxx:xxxxx@host/'],
  ['ssh://git@host/x', 'ssh://git@host/x'],
  ['ssh://git:pass@host/x', 'ssh://xxxxx:xxxxx@host/x'],
  ['https://host/a@b mail@host', 'https://host/a@b mail@host'],
])('%s is shown without passwords', (text, shown) => {
  expect(redactUrls(text)).toBe(shown);
});
