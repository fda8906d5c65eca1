import {tree} from './tree.mjs';

const five = 'FROM busybox\nARG V=1\nWORKDIR /w\nCOPY a .\nRUN echo a\nCOPY d d\nRUN echo $V\nENV E=1\nRUN echo end\n';
const edited = (name, dockerfile, edits, more = {}) => ({
  name: `after: ${name}`,
  files: tree,
  dockerfile,
  edits,
  ...more,
});
export const verdicts = [
  edited('nothing', five, [{}]),
  edited('a file of the first copy', five, [{a: 'changed\n'}]),
  edited('a file of the second copy', five, [{'d/one': 'changed\n'}]),
  edited('a file and back', five, [{a: 'changed\n'}, {a: 'a\n'}]),
  edited('a file that is not copied', five, [{b: 'changed\n'}]),
  edited('a mode', five, [{a: {text: 'a\n', mode: 0o600}}]),
  edited('a new file', five, [{'d/new': 'n\n'}]),
  edited('a removed file', five, [{'d/two': null}]),
  edited('an argument', five, [{}], {next: {arguments: {V: '2'}}}),
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
  edited('no cache', five, [{}], {next: {noCache: true}}),
  edited(
    'no cache for a stage',
    `FROM busybox AS one\nRUN true\nFROM busybox AS two\nCOPY --from=one /etc/passwd /p\nRUN echo 2\n`,
    [{}],
    {next: {noCacheFilter: 'one'}},
  ),
  edited('a time alone', five, [{a: {text: 'a\n', time: 1_600_000_000}}]),
  edited('a mode of a directory', 'FROM busybox\nCOPY . /x/\nRUN true\n', [{e: {directory: 0o700}}]),
  edited('a link that leads elsewhere', 'FROM busybox\nCOPY d /x/\nRUN true\n', [{'d/link': {link: 'two'}}]),
  edited('a file in the place of a link', 'FROM busybox\nCOPY d /x/\nRUN true\n', [{'d/link': '1\n'}]),
  edited('a directory in the place of a file', 'FROM busybox\nCOPY d /x/\nRUN true\n', [{'d/one': {directory: 0o755}}]),
  edited('an empty directory more', 'FROM busybox\nCOPY d /x/\nRUN true\n', [{'d/new': {directory: 0o755}}]),
  edited('a renamed file of a directory', 'FROM busybox\nCOPY d /x/\nRUN true\n', [{'d/one': null, 'd/uno': '1\n'}]),
  edited('a renamed directory', 'FROM busybox\nCOPY d /x/\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY f /x/\nRUN true\n', 'f/one': '1\n', 'f/two': {text: '2\n', mode: 0o600}},
  ]),
  edited('a second name of a file in the place of a file', 'FROM busybox\nCOPY . /x/\nRUN true\n', [{c: {hard: 'a'}}]),
  edited('a file beside those of a wildcard', 'FROM busybox\nCOPY *.txt /x/\nRUN true\n', [{'z.md': 'z\n'}]),
  edited('one more file of a wildcard', 'FROM busybox\nCOPY *.txt /x/\nRUN true\n', [{'z.txt': 'z\n'}]),
  edited('a file of a wildcard', 'FROM busybox\nCOPY *.txt /x/\nRUN true\n', [{'x.txt': 'changed\n'}]),
  edited('a renamed file of a wildcard', 'FROM busybox\nCOPY x*.txt /x/\nRUN true\n', [
    {'x.txt': null, 'xx.txt': 'x\n'},
  ]),
  edited('the Dockerfile that is copied', 'FROM busybox\nCOPY . /x/\nRUN true\n', [
    {Dockerfile: '# c\nFROM busybox\nCOPY . /x/\nRUN true\n'},
  ]),
  edited('a comment', five, [{Dockerfile: `# one\n${five.replace('RUN echo a', '# two\nRUN echo a')}`}]),
  edited('blanks and small letters', five, [
    {Dockerfile: five.replace('RUN echo a', 'run   echo a').replace('COPY a .', 'copy  a  .')},
  ]),
  edited('a continued line', five, [{Dockerfile: five.replace('RUN echo a', 'RUN echo \\\n a')}]),
  edited('a line more at the end', five, [{Dockerfile: `${five}RUN echo more\n`}]),
  edited('a line less', five, [{Dockerfile: five.replace('RUN echo a\n', '')}]),
  edited('two lines change places', five, [
    {Dockerfile: five.replace('COPY a .\nRUN echo a\n', 'RUN echo a\nCOPY a .\n')},
  ]),
  edited('settings change places', 'FROM busybox\nENV A=1\nLABEL l=1\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nLABEL l=1\nENV A=1\nRUN true\n'},
  ]),
  edited('variables change places', 'FROM busybox\nENV A=1\nENV B=2\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nENV B=2\nENV A=1\nRUN true\n'},
  ]),
  edited('a label above', five, [{Dockerfile: five.replace('ARG', 'LABEL x=y\nARG')}]),
  edited('a command of the image above', five, [{Dockerfile: five.replace('ARG', 'CMD ["x"]\nENTRYPOINT ["y"]\nARG')}]),
  edited('a volume above', five, [{Dockerfile: five.replace('ARG', 'VOLUME /v\nARG')}]),
  edited('a health above', five, [{Dockerfile: five.replace('ARG', 'HEALTHCHECK CMD x\nSTOPSIGNAL 9\nARG')}]),
  edited('a shell above', five, [{Dockerfile: five.replace('ARG', 'SHELL ["/bin/sh", "-ec"]\nARG')}]),
  edited('a trigger above', five, [{Dockerfile: five.replace('ARG', 'ONBUILD RUN x\nARG')}]),
  edited('a maintainer above', five, [{Dockerfile: five.replace('ARG', 'MAINTAINER me\nARG')}]),
  edited('a directory', five, [{Dockerfile: five.replace('/w', '/v')}]),
  edited('a default of an argument', five, [{Dockerfile: five.replace('V=1', 'V=2')}]),
  edited('an argument to what it was', five, [{}], {next: {arguments: {V: '1'}}}),
  edited('an argument that only a label has', 'FROM busybox\nARG V=1\nLABEL v=$V\nCOPY a /x\n', [{}], {
    next: {arguments: {V: '2'}},
  }),
  edited('an argument behind its use', 'FROM busybox\nRUN true\nARG V=1\nCOPY a /x\n', [{}], {
    next: {arguments: {V: '2'}},
  }),
  edited('an argument that only a copy has', 'FROM busybox\nARG V=a\nCOPY $V /x\nCOPY b /y\n', [{}], {
    next: {arguments: {V: 'x.txt'}},
  }),
  edited('an argument that a variable hides', 'FROM busybox\nARG V=1\nENV V=3\nRUN echo $V\n', [{}], {
    next: {arguments: {V: '2'}},
  }),
  edited('an argument of a copy and runs after it', 'FROM busybox\nARG V=1\nCOPY a /x\nRUN true\n', [{}], {
    next: {arguments: {V: '2'}},
  }),
  edited('an argument before the first stage', 'ARG G=1\nFROM busybox\nRUN true\nARG G\nRUN echo $G\n', [{}], {
    next: {arguments: {G: '2'}},
  }),
  edited('an argument that nothing asks for', five, [{}], {next: {arguments: {NOBODY: '2'}}}),
  edited('a proxy', five, [{}], {next: {arguments: {HTTP_PROXY: 'http://p'}}}),
  edited('a proxy with an argument', 'FROM busybox\nARG HTTP_PROXY\nRUN true\n', [{}], {
    next: {arguments: {HTTP_PROXY: 'http://p'}},
  }),
  edited('a label that is given', five, [{}], {next: {labels: {given: 'x'}}}),
  edited('the value of a secret', 'FROM busybox\nRUN --mount=type=secret,id=s cat /run/secrets/s\nRUN true\n', [{}], {
    secret: 'one',
    next: {secret: 'two'},
  }),
  edited('a secret that is there', 'FROM busybox\nRUN --mount=type=secret,id=s true\nRUN true\n', [{}], {
    next: {secret: 'two'},
  }),
  edited('the target of a secret', 'FROM busybox\nRUN --mount=type=secret,id=s true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=s,target=/k true\n'},
  ]),
  edited('a cache by another name', 'FROM busybox\nRUN --mount=type=cache,id=one,target=/c true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=cache,id=two,target=/c true\n'},
  ]),
  edited('the target of a cache', 'FROM busybox\nRUN --mount=type=cache,id=one,target=/c true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=cache,id=one,target=/d true\n'},
  ]),
  edited('how a cache is shared', 'FROM busybox\nRUN --mount=type=cache,target=/c true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/c,sharing=locked true\n'},
  ]),
  edited('a mount more', 'FROM busybox\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=tmpfs,target=/t true\n'},
  ]),
  edited('the size of memory', 'FROM busybox\nRUN --mount=type=tmpfs,target=/t true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=tmpfs,target=/t,size=1m true\n'},
  ]),
  edited('a bind that is written', 'FROM busybox\nRUN --mount=type=bind,source=d,target=/b true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=bind,source=d,target=/b,rw true\n'},
  ]),
  edited('the source of a bind of the same content', 'FROM busybox\nRUN --mount=type=bind,source=a,target=/b true\n', [
    {Dockerfile: 'FROM busybox\nRUN --mount=type=bind,source=c,target=/b true\n', c: 'a\n'},
  ]),
  edited(
    'a stage that is mounted',
    'FROM busybox AS one\nCOPY a /f\nFROM busybox\nRUN --mount=from=one,source=/f,target=/m true\n',
    [{a: 'changed\n'}],
  ),
  edited(
    'a stage that is mounted elsewhere',
    'FROM busybox AS one\nCOPY a b /f/\nFROM busybox\nRUN --mount=from=one,source=/f/a,target=/m true\n',
    [{b: 'changed\n'}],
  ),
  edited('a network', 'FROM busybox\nRUN true\n', [{Dockerfile: 'FROM busybox\nRUN --network=none true\n'}]),
  edited('a form of a command', 'FROM busybox\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nRUN ["/bin/sh", "-c", "true"]\n'},
  ]),
  edited('a script', 'FROM busybox\nRUN <<E\ntrue\nE\n', [{Dockerfile: 'FROM busybox\nRUN <<E\ntrue \nE\n'}]),
  edited('the name of a script', 'FROM busybox\nRUN <<E\ntrue\nE\n', [
    {Dockerfile: 'FROM busybox\nRUN <<F\ntrue\nF\n'},
  ]),
  edited('a file of a here-document', 'FROM busybox\nCOPY <<E /x\none\nE\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY <<E /x\ntwo\nE\nRUN true\n'},
  ]),
  edited('the owner of a copy', 'FROM busybox\nCOPY a /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY --chown=5 a /x\nRUN true\n'},
  ]),
  edited('the owner of a copy to what it was', 'FROM busybox\nCOPY a /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY --chown=0:0 a /x\nRUN true\n'},
  ]),
  edited('the mode of a copy', 'FROM busybox\nCOPY a /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY --chmod=644 a /x\nRUN true\n'},
  ]),
  edited('a copy as an ADD', 'FROM busybox\nCOPY a /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nADD a /x\nRUN true\n'},
  ]),
  edited('what is excluded', 'FROM busybox\nCOPY --exclude=sub d /x\nRUN true\n', [{'d/sub/three': 'changed\n'}]),
  edited('one more that is excluded', 'FROM busybox\nCOPY d /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY --exclude=nothing d /x\nRUN true\n'},
  ]),
  edited('an ignored file more', five, [{'d/tmp': 'x\n'}], {files: {...tree, '.dockerignore': 'd/tmp\n'}}),
  edited('the rules of ignoring', five, [{'.dockerignore': 'd/one\n'}], {files: {...tree, '.dockerignore': ''}}),
  edited('rules that change nothing', five, [{'.dockerignore': 'none\n'}], {files: {...tree, '.dockerignore': ''}}),
  edited('a stage that nothing needs', `FROM busybox AS no\nRUN echo 1\n${five.replace('busybox', 'busybox AS yes')}`, [
    {Dockerfile: `FROM busybox AS no\nRUN echo 2\n${five.replace('busybox', 'busybox AS yes')}`},
  ]),
  edited('the name of a stage', 'FROM busybox AS one\nRUN true\nFROM one\nRUN echo 1\n', [
    {Dockerfile: 'FROM busybox AS uno\nRUN true\nFROM uno\nRUN echo 1\n'},
  ]),
  edited('the stage below', 'FROM busybox AS one\nRUN echo 1 > /f\nFROM one\nCOPY a /x\nRUN true\n', [
    {Dockerfile: 'FROM busybox AS one\nRUN echo 2 > /f\nFROM one\nCOPY a /x\nRUN true\n'},
  ]),
  edited('the image below', 'ARG IMAGE=busybox\nFROM $IMAGE\nCOPY a /x\nWORKDIR /w\n', [{}], {
    next: {arguments: {IMAGE: 'quick'}},
  }),
  edited('another name of the image below', 'ARG IMAGE=busybox\nFROM $IMAGE\nCOPY a /x\nRUN true\n', [{}], {
    next: {arguments: {IMAGE: 'docker.io/library/busybox:latest'}},
  }),
  edited('the target', 'FROM busybox AS one\nCOPY a /a\nRUN true\nFROM one AS two\nRUN echo 2\n', [{}], {
    target: 'one',
    next: {target: 'two'},
  }),
  edited(
    'a step that is in two stages',
    'FROM busybox AS one\nRUN echo 1\nFROM busybox AS two\nCOPY --from=one /etc/group /g\nRUN true\n',
    [{Dockerfile: 'FROM busybox AS two\nRUN echo 1\nRUN true\n'}],
  ),
  edited(
    'no cache for another stage',
    `FROM busybox AS one\nRUN true\nFROM busybox AS two\nCOPY --from=one /etc/passwd /p\nRUN echo 2\n`,
    [{}],
    {
      next: {noCacheFilter: 'two'},
    },
  ),
  edited('a failed step that was put right', 'FROM busybox\nCOPY a /a\nRUN true\n', [
    {Dockerfile: 'FROM busybox\nCOPY a /a\nRUN false\n'},
    {Dockerfile: 'FROM busybox\nCOPY a /a\nRUN true\n'},
  ]),
];
