import {type Held, main, prints} from './facts.ts';

export const ofStorage: Readonly<Record<string, Held>> = {
  volumes: {
    service: main,
    says: {
      volumes: [
        './content:/www:ro',
        'data:/data',
        {type: 'image', source: 'busybox', target: '/image/etc', image: {subpath: 'etc'}},
        {type: 'image', source: 'busybox', target: '/image/all'},
        {type: 'bind', source: './content', target: '/all', read_only: true, bind: {recursive: 'readonly'}},
        {type: 'bind', source: './content', target: '/top', read_only: true, bind: {recursive: 'writable'}},
        {type: 'bind', source: './content', target: '/one', bind: {recursive: 'disabled', propagation: 'private'}},
        {type: 'volume', source: 'shared', target: '/var', volume: {labels: {tier: 'data'}}},
        {type: 'volume', source: 'shared', target: '/sub', volume: {subpath: 'tmp'}, read_only: true},
        {type: 'tmpfs', target: '/memory', tmpfs: {size: '2m', mode: 0o1700}},
      ],
    },
    has: prints(
      main,
      [
        'cat /www/index.html; grep -c " /data " /proc/mounts; touch /www/x 2>&1 || true',
        'test -s /image/etc/passwd && grep -c " /image/all " /proc/mounts; touch /image/etc/x 2>&1 || true',
        'cat /all/index.html /top/index.html /one/index.html; touch /all/x /top/x 2>&1 || true',
        "df -k /memory | tail -1 | awk '{print $2}'; stat -c %a /memory",
      ].join('; '),
      new RegExp(
        [
          'from the machine1',
          '.*/www/x: Read-only file system',
          '1',
          '.*/image/etc/x: Read-only file system',
          'from the machinefrom the machinefrom the machine.*/all/x: Read-only file system',
          '.*/top/x: Read-only file system',
          '2048',
          '1700',
        ].join('\n'),
      ),
    ),
  },
  tmpfs: {
    service: main,
    says: {tmpfs: ['/var/run:size=1m,mode=1777']},
    has: prints(main, "df -k /var/run | tail -1 | awk '{print $1, $2}'", 'tmpfs 1024'),
  },
  read_only: {
    service: main,
    says: {read_only: true},
    has: prints(main, 'touch /etc/x 2>&1 || true', /Read-only file system$/),
  },
  shm_size: {
    service: main,
    says: {shm_size: '8m'},
    has: prints(main, "df -k /dev/shm | tail -1 | awk '{print $2}'", '8192'),
  },
  configs: {
    service: main,
    says: {configs: [{source: 'settings', target: '/settings', uid: '5', mode: 0o444}]},
    has: prints(main, 'cat /settings; stat -c " %u %a" /settings', 'a config 5 444'),
  },
  secrets: {
    service: main,
    says: {secrets: [{source: 'token', gid: '1235', mode: 0o440}]},
    has: prints(main, 'cat /run/secrets/token; stat -c " %g %a" /run/secrets/token', 'a secret 1235 440'),
  },
};
