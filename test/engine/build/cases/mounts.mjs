import {run, tree} from './tree.mjs';

const staged = (name, dockerfile, more = {}) => ({name, files: tree, dockerfile, ...more});

export const mounts = [
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
  run('bind without a type', 'RUN --mount=target=/b cat /b/a > /f'),
  run('bind of a directory', 'RUN --mount=type=bind,source=d,target=/b find /b | sort > /f'),
  run('bind with other names of its options', 'RUN --mount=type=bind,src=d,dst=/b,ro ls /b > /f'),
  run('bind of a link to a directory', 'RUN --mount=type=bind,source=l,target=/b find /b | sort > /f'),
  run('bind of the root by a slash', 'RUN --mount=type=bind,source=/,target=/b ls /b > /f'),
  run('bind to a relative target', 'WORKDIR /w\nRUN --mount=type=bind,source=a,target=b/c cat b/c > f'),
  run('bind by variables', 'ARG S=d T=/b\nRUN --mount=type=bind,source=$S,target=${T} ls /b > /f'),
  run('bind cannot be written', 'RUN --mount=type=bind,target=/b touch /b/x 2> /dev/null || echo $? > /f'),
  run('bind upon what is there', 'RUN --mount=type=bind,source=d,target=/etc ls /etc > /f\nRUN ls /etc/group > /g'),
  run('bind upon a file', 'RUN --mount=type=bind,source=a,target=/etc/group cat /etc/group > /f'),
  run('owners and modes of a bind', 'RUN --mount=type=bind,target=/b stat -c "%n %a %u:%g" /b /b/b /b/d/two > /f'),
  run('bind of what is not there', 'RUN --mount=type=bind,source=nothing,target=/b ls /b > /f'),
  run('bind of an image', 'RUN --mount=type=bind,from=busybox,source=/etc,target=/b ls /b > /f'),
  staged(
    'bind of a stage through a link',
    'FROM busybox AS one\nRUN mkdir /o && echo 1 > /o/f && ln -s /o /l\nFROM busybox\nRUN --mount=type=bind,from=one,source=/l,target=/m cat /m/f > /g\n',
  ),
  staged(
    'bind of a stage that is written',
    'FROM busybox AS one\nRUN echo 1 > /f\nFROM busybox\nRUN --mount=type=bind,from=one,target=/m,rw echo 2 > /m/f && cat /m/f > /g\nCOPY --from=one /f /h\n',
  ),
  staged(
    'bind of a stage by its number',
    'FROM busybox\nRUN echo 1 > /f\nFROM busybox AS two\nRUN --mount=from=0,target=/m cat /m/f > /g\nFROM scratch\nCOPY --from=two /g /\n',
  ),
  staged('bind of nothing', 'FROM busybox\nRUN --mount=type=bind,from=scratch,target=/m ls -A /m > /g\n'),
  run(
    'cache that is kept',
    'RUN --mount=type=cache,target=/c echo 1 > /c/x\nRUN --mount=type=cache,target=/c cat /c/x > /f',
  ),
  run(
    'cache by its name',
    'RUN --mount=type=cache,id=n1,target=/c echo named > /c/x\nRUN --mount=type=cache,id=n1,target=/d cat /d/x > /f',
  ),
  run(
    'caches of two names',
    'RUN --mount=type=cache,id=n2,target=/c echo 1 > /c/x\nRUN --mount=type=cache,id=n3,target=/c ls -A /c > /f',
  ),
  run(
    'mode and owner of a cache',
    'RUN --mount=type=cache,target=/c1,mode=0711,uid=5,gid=6 stat -c "%a %u:%g" /c1 > /f',
  ),
  run('mode of a cache without one', 'RUN --mount=type=cache,target=/c2 stat -c "%a %u:%g" /c2 > /f'),
  run('cache that is not written', 'RUN --mount=type=cache,target=/c3,ro touch /c3/x 2> /dev/null || echo $? > /f'),
  run('cache that is for one alone', 'RUN --mount=type=cache,target=/c4,sharing=locked echo 1 > /c4/x && ls /c4 > /f'),
  run(
    'cache that others do not see',
    'RUN --mount=type=cache,target=/c5,sharing=private echo 1 > /c5/x && ls /c5 > /f',
  ),
  run('cache of a relative target', 'WORKDIR /w\nRUN --mount=type=cache,target=c echo 1 > c/x && ls c > f'),
  run('cache in a new directory', 'RUN --mount=type=cache,target=/n/e/w true'),
  staged(
    'cache that begins with files',
    'FROM busybox AS one\nRUN mkdir /o && echo 1 > /o/f\nFROM busybox\nRUN --mount=type=cache,target=/c6,from=one,source=/o cat /c6/f > /g\n',
  ),
  run('memory', 'RUN --mount=type=tmpfs,target=/t touch /t/x && stat -f -c %T /t > /f && stat -c %a /t >> /f'),
  run(
    'memory of a size',
    'RUN --mount=type=tmpfs,target=/t,size=1m dd if=/dev/zero of=/t/x bs=1k count=2000 2> /dev/null || stat -c %s /t/x > /f',
  ),
  run('memory upon what is there', 'RUN --mount=type=tmpfs,target=/etc ls -A /etc > /f\nRUN ls /etc/group > /g'),
  run(
    'secret of a number',
    'RUN --mount=type=secret,id=s,uid=5,gid=6,mode=440 stat -c "%a %u:%g" /run/secrets/s > /f',
    {
      secret: 'hidden',
    },
  ),
  run('secret by its target', 'RUN --mount=type=secret,target=/run/secrets/s cat /run/secrets/s > /f', {
    secret: 'hidden',
  }),
  run('secret by its source', 'RUN --mount=type=secret,source=s cat /run/secrets/s > /f', {secret: 'hidden'}),
  run('secret to a relative target', 'WORKDIR /w\nRUN --mount=type=secret,id=s,target=k cat k > f', {secret: 'hidden'}),
  run('secret as a file and a variable', 'RUN --mount=type=secret,id=s,env=S,target=/k cat /k > /f && echo $S >> /f', {
    secret: 'hidden',
  }),
  run('secret as a variable alone', 'RUN --mount=type=secret,id=s,env=S ls /run/secrets > /f 2>&1 || echo none > /f', {
    secret: 'hidden',
  }),
  run('secret upon a file', 'RUN --mount=type=secret,id=s,target=/etc/group cat /etc/group > /f', {secret: 'hidden'}),
  run('secret that is needed', 'RUN --mount=type=secret,id=s,required cat /run/secrets/s > /f', {secret: 'hidden'}),
  run(
    'secret that cannot be read by a user',
    'USER app\nRUN --mount=type=secret,id=s cat /run/secrets/s 2> /dev/null || echo no > /tmp/f',
    {
      secret: 'hidden',
    },
  ),
  run('secret and its directory', 'RUN --mount=type=secret,id=s,target=/n/e/w/s cat /n/e/w/s > /f', {secret: 'hidden'}),
  run('agent that is not given', 'RUN --mount=type=ssh echo "[$SSH_AUTH_SOCK]" > /f'),
  run(
    'mounts in each other',
    'RUN --mount=type=tmpfs,target=/t --mount=type=bind,source=a,target=/t/a find /t | sort > /f',
  ),
  run(
    'several of a kind',
    'RUN --mount=type=bind,source=a,target=/m/a --mount=type=bind,source=b,target=/m/b ls /m > /f',
  ),
  run('options in quotes', 'RUN --mount=type=bind,"source=a","target=/t/x, y" cat "/t/x, y" > /f'),
  run('options in capitals', 'RUN --mount=TYPE=BIND,Source=a,TARGET=/t cat /t > /f'),
  run('network of none and mounts', 'RUN --network=none --mount=type=tmpfs,target=/t ip -o link | wc -l > /f'),
  run('network of the default', 'RUN --network=default test -d /proc/self/net && echo 1 > /f'),
];
