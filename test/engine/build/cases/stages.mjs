import {tree} from './tree.mjs';

const staged = (name, dockerfile, more = {}) => ({name, files: tree, dockerfile, ...more});

export const stages = [
  {
    name: 'from a stage',
    files: tree,
    dockerfile:
      'FROM busybox AS one\nRUN mkdir /o && echo 1 > /o/f && chmod 4755 /o/f && ln -s f /o/l && chown 3:4 /o/f\nFROM scratch\nCOPY --from=one /o /x\nCOPY --from=0 /o/l /y/\nCOPY --from=one /o/* /z/\n',
  },
  {name: 'from an image', files: {}, dockerfile: 'FROM scratch\nCOPY --from=busybox /etc/passwd /etc/group /x/\n'},
  {
    name: 'from a stage with owner',
    files: {},
    dockerfile: 'FROM busybox AS o\nFROM scratch\nCOPY --from=o --chown=1:1 /etc /e\n',
  },
  {
    name: 'a target',
    files: tree,
    target: 'one',
    dockerfile: 'FROM busybox AS one\nCOPY a /one\nFROM busybox AS two\nRUN false\n',
  },
  {
    name: 'a stage upon a stage',
    files: tree,
    dockerfile:
      'FROM busybox AS one\nARG X=1\nENV A=a\nWORKDIR /w\nCMD ["x"]\nFROM one AS two\nRUN echo $A$X > f\nENTRYPOINT ["y"]\n',
  },
  staged('a stage that nothing needs', 'FROM busybox AS one\nRUN false\nFROM scratch\nCOPY a /x\n'),
  staged('a stage that nothing needs and cannot be', 'FROM no-such-image AS one\nFROM scratch\nCOPY a /x\n'),
  staged('a target by its number', 'FROM scratch\nCOPY a /one\nFROM scratch\nCOPY b /two\n', {target: '0'}),
  staged('a target in capitals', 'FROM scratch AS One\nCOPY a /one\nFROM scratch\nCOPY b /two\n', {target: 'ONE'}),
  staged('a target in the middle', 'FROM scratch AS a\nFROM scratch AS b\nCOPY b /b\nFROM b AS c\nCOPY a /a\n', {
    target: 'b',
  }),
  staged('the later of two of a name', 'FROM scratch AS s\nCOPY a /one\nFROM scratch AS s\nCOPY a /two\nFROM s\n'),
  staged('a stage called as an image', 'FROM scratch AS busybox\nCOPY a /x\nFROM busybox\nCOPY b /y\n'),
  staged('a name in capitals', 'FROM scratch AS One\nCOPY a /x\nFROM scratch\nCOPY --from=ONE /x /y\n'),
  staged(
    'a chain of stages',
    'FROM busybox AS a\nRUN echo a > /a\nFROM a AS b\nRUN echo b > /b\nFROM b AS c\nRUN echo c > /c\nFROM c\nRUN cat /a /b /c > /d\n',
  ),
  staged(
    'a diamond of stages',
    'FROM busybox AS a\nRUN echo a > /a\nFROM a AS b\nRUN echo b > /b\nFROM a AS c\nRUN echo c > /c\nFROM b\nCOPY --from=c /c /c\n',
  ),
  staged(
    'all of a stage',
    'FROM busybox AS one\nRUN rm /etc/group && ln -s /a /b\nFROM scratch\nCOPY --from=one / /\n',
  ),
  staged('a stage of nothing', 'FROM scratch AS one\nFROM scratch\nCOPY --from=one / /x\nCOPY a /y\n'),
  staged(
    'settings are no part of a copy',
    'FROM busybox AS one\nENV A=1\nUSER app\nWORKDIR /w\nFROM busybox\nCOPY --from=one /w /w\nRUN id -u > /f\n',
  ),
  staged(
    'settings of the stage below',
    'FROM busybox AS one\nENV A=1\nUSER app\nWORKDIR /w\nLABEL l=1\nEXPOSE 80\nVOLUME /v\nHEALTHCHECK CMD x\nSTOPSIGNAL 9\nSHELL ["/bin/sh", "-ec"]\nFROM one\nENV B=2\n',
  ),
  staged(
    'removed files of a stage',
    'FROM busybox AS one\nRUN mkdir -p /o/p && touch /o/a /o/p/b\nRUN rm -r /o/p /o/a && mkdir /o/p && touch /o/c\nFROM scratch\nCOPY --from=one /o /x\n',
  ),
  staged(
    'names of one file of a stage',
    'FROM busybox AS one\nRUN mkdir /o && echo 1 > /o/a && ln /o/a /o/b\nFROM busybox\nCOPY --from=one /o /x\nRUN stat -c %h /x/a > /f\n',
  ),
  staged(
    'links of a stage',
    'FROM busybox AS one\nRUN mkdir /o && echo 1 > /o/f && ln -s /o /l && ln -s ../../../../o/f /u && ln -s /none /n\nFROM scratch\nCOPY --from=one /l /x\nCOPY --from=one /l/f /u /y/\n',
  ),
  staged(
    'a link of a stage that leads nowhere',
    'FROM busybox AS one\nRUN ln -s /none /n\nFROM scratch\nCOPY --from=one /n /x\n',
  ),
  staged(
    'links of a stage that go round',
    'FROM busybox AS one\nRUN ln -s /m /n && ln -s /n /m\nFROM scratch\nCOPY --from=one /n /x\n',
  ),
  staged(
    'a wildcard of a stage',
    'FROM busybox AS one\nRUN mkdir /o && touch /o/a.x /o/b.x /o/c.y\nFROM scratch\nCOPY --from=one /o/*.x /x/\nCOPY --from=one /[no]/c.? /x/\n',
  ),
  staged(
    'devices and pipes of a stage',
    'FROM busybox AS one\nRUN mkdir /o && mknod /o/null c 1 3 && mkfifo /o/p && chmod 4755 /o/p\nFROM scratch\nCOPY --from=one /o /x\n',
  ),
  staged(
    'owners and modes of a stage',
    'FROM busybox AS one\nRUN mkdir -m 1770 /o && touch /o/a && chown -R 5:6 /o && chmod 4711 /o/a\nFROM scratch\nCOPY --from=one /o /x\nCOPY --from=one /o/a /y\nCOPY --from=one --chown=7 --chmod=600 /o/a /z\n',
  ),
  staged(
    'a name by its image',
    'FROM busybox:latest AS one\nFROM docker.io/library/busybox\nCOPY --from=one /etc/group /x\n',
  ),
  staged('a platform that is ours', 'FROM --platform=$TARGETPLATFORM busybox\nCOPY a /x\n'),
  staged('a label of the target alone', 'FROM busybox AS one\nLABEL a=1\nFROM one\nLABEL b=2\n', {labels: {c: '3'}}),
];
