import {type Held, main, prints} from './facts.ts';

export const ofStorage: Readonly<Record<string, Held>> = {
  volumes: {
    service: main,
    says: {volumes: ['./content:/www:ro', 'data:/data']},
    has: prints(
      main,
      'cat /www/index.html; grep -c " /data " /proc/mounts; touch /www/x 2>&1 || true',
      /^from the machine1\n.*Read-only file system$/,
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
