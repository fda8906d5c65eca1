// Builds that are carried out by us and were by BuildKit (scripts/record-builds.mjs, test/recorded/builds.json).
// `files`: text; {mode}, {link}, {directory: mode}. `edits`: what is changed before each further build (null: removed).
const tree = {
  a: 'a\n',
  b: {text: 'b\n', mode: 0o755},
  'd/one': '1\n',
  'd/two': {text: '2\n', mode: 0o600},
  'd/sub/three': '3\n',
  'd/sub/deep/four.txt': '4\n',
  'd/link': {link: 'one'},
  'd/.hidden': 'h\n',
  e: {directory: 0o711},
  l: {link: 'd'},
  'x.txt': 'x\n',
  'y.txt': 'y\n',
};

const copy = (name, line, more = {}) => ({name, files: tree, dockerfile: `FROM scratch\n${line}\n`, ...more});
const run = (name, text, more = {}) => ({name, files: tree, dockerfile: `FROM busybox\n${text}\n`, ...more});

const copies = [
  copy('file to file', 'COPY a /x'),
  copy('file into a directory by its slash', 'COPY a /x/'),
  copy('file into a directory that is there', 'COPY d /x\nCOPY a /x'),
  copy('several files', 'COPY a b /x/'),
  copy('directory to a new one', 'COPY d /x'),
  copy('directory with a slash', 'COPY d/ /x/'),
  copy('directory upon the root', 'COPY d /'),
  copy('everything', 'COPY . /all'),
  copy('everything with a slash', 'COPY . /all/'),
  copy('empty directory', 'COPY e /e'),
  copy('into the working directory', 'WORKDIR /w\nCOPY a .'),
  copy('relative target', 'WORKDIR /w\nCOPY a b/c'),
  copy('leading slashes and dots of a source', 'COPY /a ./b ../x.txt /x/'),
  copy('wildcard', 'COPY *.txt /x/'),
  copy('wildcard of directories', 'COPY d/* /x/'),
  copy('wildcard of one character', 'COPY ?.txt /x/'),
  copy('wildcard of a class', 'COPY [xz].txt /x/'),
  copy('wildcard that finds nothing', 'COPY a nothing* /x/'),
  copy('link to a directory as a source', 'COPY l /x'),
  copy('link to a file as a source', 'COPY d/link /x/'),
  copy('file through a linked directory', 'COPY l/one /x'),
  copy('chmod', 'COPY --chmod=640 d /x'),
  copy('chmod of a file', 'COPY --chmod=0700 a /x'),
  copy('chown by number', 'COPY --chown=5 d /x'),
  copy('chown by numbers', 'COPY --chown=5:6 a /new/dir/x'),
  run('chown by name', 'COPY --chown=app:root d /x'),
  run('chown by a name alone', 'COPY --chown=app a /x'),
  copy('link', 'COPY d /x\nCOPY --link a /x/'),
  copy('link with chown', 'COPY --link --chown=7:8 d /x'),
  copy('parents', 'COPY --parents d/sub/deep/four.txt d/one /x/'),
  copy('parents with a pivot', 'COPY --parents d/./sub/deep/four.txt /x/'),
  copy('parents with wildcards', 'COPY --parents **/*.txt /x/'),
  copy('exclude', 'COPY --exclude=sub d /x'),
  copy('exclude by wildcards', 'COPY --exclude=*.txt --exclude=d/t* . /x'),
  copy('merging directories', 'COPY d /x\nCOPY --chmod=711 d/sub /x/sub'),
  copy('a file in the place of a file', 'COPY a /x\nCOPY b /x'),
  copy('here-document', 'COPY <<one /x\nhello\none'),
  copy('here-documents', 'ARG V=v\nCOPY <<one <<"two" a /x/\n$V\none\n$V\ntwo'),
  copy('here-document with chmod', 'COPY --chmod=755 --chown=3:4 <<run.sh /bin/\n#!/bin/sh\nrun.sh'),
  copy('list in JSON', 'COPY ["a", "x.txt", "/x y/"]'),
  copy('variables', 'ARG D=d\nENV T=/t\nCOPY $D/one ${T}/${D:+set}'),
  copy('add as copy', 'ADD a d /x/'),
  run('copy over a link to a directory', 'RUN mkdir /real && ln -s /real /lnk\nCOPY a /lnk/\nCOPY d /lnk'),
  run('copy over a link to a file', 'RUN echo 1 > /real && ln -s /real /lnk\nCOPY a /lnk'),
  run('copy into a directory that is there keeps it', 'RUN mkdir -m 700 /x && chown 9:9 /x\nCOPY d /x'),
  run('copy of a directory that is there', 'RUN mkdir -p -m 700 /x/sub && chown 9:9 /x/sub\nCOPY d /x'),
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
];

const ignores = [
  ['a', 'a\n'],
  ['directory', 'd\n'],
  ['all but one', '*\n!a\n'],
  ['all below but one', 'd\n!d/sub/three\n'],
  ['names anywhere', '**/*.txt\n'],
  ['prefix', 'd/**\n'],
  ['taken back in an ignored directory', 'd/sub\n!d/sub/deep\n'],
  ['comment, blank, slash', '# c\n\n/a\n  b  \n'],
  ['later wins', '*.txt\n!x.txt\nx.txt\n!y.txt\n'],
  ['class', '[ab]\n'],
].map(([name, text]) => ({
  name: `ignored: ${name}`,
  files: {...tree, '.dockerignore': text},
  dockerfile: 'FROM scratch\nCOPY . /x\n',
}));

const settings = [
  run('environment', 'ENV A=1 B="two words" C=$A\nENV D=$A\nENV E old form'),
  run('path', 'ENV PATH=/x:$PATH'),
  run('labels', 'LABEL a=1 "b c"="d e"\nLABEL a=2'),
  run('ports', 'EXPOSE 80 443/tcp 53/UDP 8000-8002\nARG P=99\nEXPOSE $P'),
  run('volumes', 'VOLUME /a "/b c"\nVOLUME ["/c", "/d"]'),
  run('user', 'USER app\nUSER 5:6'),
  run('working directory', 'WORKDIR a\nWORKDIR b\nWORKDIR /c/../d/'),
  run('working directory of a user', 'USER app\nWORKDIR /u/v'),
  run('working directory that is there', 'WORKDIR /etc'),
  run('working directory at the top', 'WORKDIR /'),
  run('stop signal', 'STOPSIGNAL SIGINT'),
  run('maintainer', 'MAINTAINER me <me@example.org>\nENV A=1'),
  run('command', 'CMD echo hi'),
  run('command as a list', 'CMD ["echo", "hi \\"there\\""]'),
  run('entry point takes away a command of the image', 'ENTRYPOINT ["/bin/x"]'),
  run('entry point keeps its own command', 'CMD ["a"]\nENTRYPOINT ["/bin/x"]'),
  run('shell', 'SHELL ["/bin/sh", "-ec"]\nCMD a b\nRUN true'),
  run('health', 'HEALTHCHECK --interval=5s --timeout=1m --retries=3 --start-period=1h CMD true'),
  run('health as a list', 'HEALTHCHECK CMD ["true", "x"]'),
  run('no health', 'HEALTHCHECK NONE'),
  run('trigger', 'ONBUILD RUN true\nONBUILD COPY a /b'),
  run('label given', 'LABEL a=1', {labels: {z: 'y'}}),
  {name: 'scratch alone', files: tree, dockerfile: 'FROM scratch\nCOPY a /\nENV A=1\nCMD ["/a"]\n'},
  {
    name: 'triggers of a stage',
    files: tree,
    dockerfile: 'FROM busybox AS base\nONBUILD COPY a /t\nONBUILD ENV T=1\nFROM base\nRUN cat /t\n',
  },
  {
    name: 'a stage upon a stage',
    files: tree,
    dockerfile:
      'FROM busybox AS one\nARG X=1\nENV A=a\nWORKDIR /w\nCMD ["x"]\nFROM one AS two\nRUN echo $A$X > f\nENTRYPOINT ["y"]\n',
  },
];

const variables = [
  run('argument with a default', 'ARG A=1\nRUN echo $A > /f'),
  run('argument that is given', 'ARG A=1\nARG B\nRUN echo $A$B > /f', {arguments: {A: '2', B: '3'}}),
  run('argument without a value', 'ARG A\nRUN echo "[$A]" > /f; env | grep -c ^A= >> /f || true'),
  run('environment wins over an argument', 'ENV A=e\nARG A=1\nRUN echo $A > /f', {arguments: {A: '2'}}),
  run('environment after an argument', 'ARG A=1\nENV A=$A-x\nRUN echo $A > /f'),
  run('several arguments', 'ARG A=1 B=$A C\nRUN echo $A$B$C > /f'),
  run(
    'forms',
    'ARG A=hello.tar.gz\nENV B=${A%.gz} C=${A%%.*} D=${A#*.} E=${A##*.} F=${A/l/L} G=${A//l/L} H=${Z:-z} I=${A:+y}',
  ),
  run('quotes', `ENV A='$B' B="a\\"b" C=a\\ b D=\\$X`),
  {
    name: 'arguments before the first stage',
    files: tree,
    dockerfile: 'ARG IMAGE=busybox\nARG G=g\nFROM $IMAGE\nRUN echo "[$G]" > /f\nARG G\nRUN echo "[$G]" >> /f\n',
  },
  run(
    'platform arguments',
    'ARG TARGETPLATFORM\nARG TARGETARCH\nARG BUILDOS\nRUN echo $TARGETPLATFORM $TARGETARCH $BUILDOS > /f',
  ),
  run('proxy without an argument', 'RUN echo $http_proxy > /f', {arguments: {http_proxy: 'http://p'}}),
  {
    name: 'a target',
    files: tree,
    target: 'one',
    dockerfile: 'FROM busybox AS one\nCOPY a /one\nFROM busybox AS two\nRUN false\n',
  },
];

const runs = [
  run(
    'changes of all kinds',
    'RUN mkdir /n && touch /n/f && chmod 1777 /n && ln -s /n /l && rm /etc/group && mkfifo /p && chown -h 5:6 /l',
  ),
  run('a removed directory that comes again', 'RUN mkdir /n && touch /n/a\nRUN rm -r /n && mkdir /n && touch /n/b'),
  run(
    'what is mounted leaves nothing',
    'RUN --mount=type=cache,target=/c/d --mount=type=tmpfs,target=/t --mount=type=bind,target=/b touch /made',
  ),
  run('nothing of a mount is kept', 'RUN --mount=type=cache,target=/c touch /c/x\nRUN ls /c'),
  run('bind of the context', 'RUN --mount=type=bind,target=/b find /b | sort > /list'),
  run('bind of a file', 'RUN --mount=type=bind,source=d/one,target=/b cat /b > /list'),
  run('bind that is written to', 'RUN --mount=type=bind,target=/b,rw echo x > /b/new && ls /b > /list'),
  {
    name: 'bind of a stage',
    files: {},
    dockerfile:
      'FROM busybox AS one\nRUN echo 1 > /f\nFROM busybox\nRUN --mount=type=bind,from=one,source=/f,target=/m/f cat /m/f > /g\n',
  },
  run('a secret that is not given', 'RUN --mount=type=secret,id=s ls /run/secrets > /list 2>&1 || echo none > /list'),
  run('secret', 'RUN --mount=type=secret,id=s stat -c %a:%u /run/secrets/s > /list && cat /run/secrets/s >> /list', {
    secret: 'hidden',
  }),
  run('secret elsewhere', 'RUN --mount=type=secret,id=s,target=/x/y,mode=0444,uid=5 stat -c %a:%u /x/y > /list', {
    secret: 'hidden',
  }),
  run('secret as a variable', 'RUN --mount=type=secret,id=s,env=S echo $S > /list', {secret: 'hidden'}),
  run('no network', 'RUN --network=none ip -o addr | wc -l > /n'),
  run('here-document as a script', 'RUN <<E\necho 1 > /f\necho $PATH >> /f\nE'),
  run('here-document of a program', 'RUN <<E\n#!/bin/sh\necho $0 > /f\nE'),
  run('here-document for a command', 'RUN cat <<E > /f\nhello\nE'),
  run('two here-documents', 'RUN cat <<A - <<B > /f\none\nA\ntwo\nB'),
  run('command of a run as a list', 'RUN ["/bin/sh", "-c", "echo $0 > /f"]'),
  run('user and directory', 'USER app\nWORKDIR /w\nRUN id -u > f && pwd >> f && echo $HOME >> f && umask >> f'),
  run('names', 'RUN hostname > /f && cat /proc/self/cgroup | wc -l && env | sort | grep -v PWD >> /f'),
  run(
    'hard links and holes',
    'RUN echo 1 > /f && ln /f /g && dd if=/dev/zero of=/h bs=1 count=1 seek=100000 2>/dev/null',
  ),
  run('continuation with comments', 'RUN echo 1 \\\n# c\n  2 > /f'),
];

const failures = [
  copy('missing source', 'COPY nothing /x'),
  copy('missing source in a stage', 'COPY --from=busybox /nothing /x'),
  copy('a directory upon a file', 'COPY a /x\nCOPY d /x'),
  run('a command that fails', 'RUN exit 3'),
  run('a program that is missing', 'RUN ["/nothing"]'),
  run('unknown user', 'USER nobody-there\nRUN true'),
  run('unknown owner', 'COPY --chown=nobody-there a /x'),
  run('secret that is required', 'RUN --mount=type=secret,id=s,required=true true'),
  {name: 'unknown stage', files: tree, dockerfile: 'FROM busybox\nCOPY --from=3 a b\n'},
  {name: 'unknown target', files: tree, dockerfile: 'FROM busybox AS one\n', target: 'two'},
  {name: 'no image', files: tree, dockerfile: 'ARG X\nFROM $X\nCOPY a b\n'},
  {name: 'ignored file is copied', files: {...tree, '.dockerignore': 'a\n'}, dockerfile: 'FROM scratch\nCOPY a /x\n'},
];

const five = 'FROM busybox\nARG V=1\nWORKDIR /w\nCOPY a .\nRUN echo a\nCOPY d d\nRUN echo $V\nENV E=1\nRUN echo end\n';
const edited = (name, dockerfile, edits, more = {}) => ({
  name: `after: ${name}`,
  files: tree,
  dockerfile,
  edits,
  ...more,
});
const verdicts = [
  edited('nothing', five, [{}]),
  edited('a file of the first copy', five, [{a: 'changed\n'}]),
  edited('a file of the second copy', five, [{'d/one': 'changed\n'}]),
  edited('a file and back', five, [{a: 'changed\n'}, {a: 'a\n'}]),
  edited('a file that is not copied', five, [{b: 'changed\n'}]),
  edited('a mode', five, [{a: {text: 'a\n', mode: 0o600}}]),
  edited('a new file', five, [{'d/new': 'n\n'}]),
  edited('a removed file', five, [{'d/two': null}]),
  edited('an argument', five, [{}], {nextArguments: {V: '2'}}),
  edited('a label', five, [{Dockerfile: `${five}LABEL a=b\n`}]),
  edited('a variable', five, [{Dockerfile: five.replace('E=1', 'E=2')}]),
  edited('a variable above', five, [{Dockerfile: five.replace('ARG', 'ENV X=1\nARG')}]),
  edited('an unused argument above', five, [{Dockerfile: five.replace('ARG', 'ARG X=1\nARG')}]),
  edited('a command', five, [{Dockerfile: five.replace('echo a', 'echo b')}]),
  edited('an exposed port above', five, [{Dockerfile: five.replace('ARG', 'EXPOSE 1\nARG')}]),
  edited('a user', five, [{Dockerfile: five.replace('ARG', 'USER app\nARG')}]),
  edited('a renamed source of a copy', 'FROM busybox\nCOPY a /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY c /x\nRUN true\n', c: 'a\n'},
  ]),
  edited('a file under another directory', 'FROM busybox\nCOPY d/one /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY f/one /x\nRUN true\n', 'f/one': '1\n'},
  ]),
  edited(
    'a stage whose files stay the same',
    'FROM busybox AS one\nCOPY a /a\nRUN echo fixed > /f\nFROM busybox\nCOPY --from=one /f /f\nRUN true\n',
    [{a: 'changed\n'}],
  ),
  edited(
    'a stage whose files change',
    'FROM busybox AS one\nCOPY a /a\nRUN cp /a /f\nFROM busybox\nCOPY --from=one /f /f\nRUN true\n',
    [{a: 'changed\n'}],
  ),
  edited('copy --link upon what changes', 'FROM busybox\nCOPY a /a\nRUN true\nCOPY --link b /b\n', [{a: 'changed\n'}]),
  edited('a file that a bind mount has', 'FROM busybox\nRUN --mount=type=bind,source=a,target=/a cat /a\nRUN true\n', [
    {a: 'changed\n'},
  ]),
  edited(
    'a file beside the one that a bind mount has',
    'FROM busybox\nRUN --mount=type=bind,source=a,target=/a cat /a\nRUN true\n',
    [{b: 'changed\n'}],
  ),
  edited('an ignored file', five, [{'d/one': 'changed\n'}], {files: {...tree, '.dockerignore': 'd/one\n'}}),
  edited('the target of a copy', 'FROM busybox\nCOPY a /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY a /y\nRUN true\n'},
  ]),
  edited('no cache', five, [{}], {nextNoCache: true}),
  edited(
    'no cache for a stage',
    `FROM busybox AS one\nRUN true\nFROM busybox AS two\nCOPY --from=one /etc/passwd /p\nRUN echo 2\n`,
    [{}],
    {nextNoCacheFilter: 'one'},
  ),
];

export const cases = [...copies, ...ignores, ...settings, ...variables, ...runs, ...failures, ...verdicts];
