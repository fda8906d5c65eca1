import {arch} from 'node:os';
import {expect} from 'vitest';
import {eventually} from '../../../support/host.ts';
import {type Held, inspected, main, prints, written} from './facts.ts';

/** Who runs, with what. */
export const ofProcess: Readonly<Record<string, Held>> = {
  image: {
    service: main,
    says: {image: 'busybox'},
    has: inspected(main, ({Config}) => expect(Config.Image).toBe('busybox')),
  },
  entrypoint: {
    service: main,
    says: {entrypoint: ['httpd', '-f']},
    has: prints(main, 'tr "\\0" " " < /proc/1/cmdline', /^httpd -f /),
  },
  command: {
    service: main,
    says: {command: '-p 8080 -h "/www"'},
    has: prints(main, 'tr "\\0" " " < /proc/1/cmdline', / -p 8080 -h \/www$/),
  },
  user: {service: main, says: {user: '1234:1235'}, has: prints(main, 'id -u; id -g', '1234\n1235')},
  group_add: {service: main, says: {group_add: ['7777']}, has: prints(main, 'id -G', /\b7777\b/)},
  working_dir: {service: main, says: {working_dir: '/var/run/here'}, has: prints(main, 'pwd', '/var/run/here')},
  hostname: {service: main, says: {hostname: 'given'}, has: prints(main, 'hostname', 'given')},
  domainname: {
    service: main,
    says: {domainname: 'given.test'},
    has: prints(main, 'cat /proc/sys/kernel/domainname', 'given.test'),
  },
  container_name: {
    service: main,
    says: {container_name: 'attributes-main-1'},
    has: inspected(main, ({Name}) => expect(Name).toBe('/attributes-main-1')),
  },
  environment: {
    service: main,
    says: {environment: {GIVEN: 'yes', OVER: 'file over'}},
    has: prints(main, 'echo "$GIVEN $OVER"', 'yes file over'),
  },
  env_file: {service: main, says: {env_file: 'one.env'}, has: prints(main, 'echo "$FROM_FILE"', 'one')},
  extends: {
    service: main,
    says: {extends: {file: 'base.yaml', service: 'base'}},
    has: prints(main, 'echo "$FROM_BASE"', 'base'),
  },
  labels: {
    service: main,
    says: {labels: {given: 'yes'}},
    has: inspected(main, ({Config}) => expect(Config.Labels).toMatchObject({given: 'yes'})),
  },
  label_file: {
    service: main,
    says: {label_file: 'one.labels'},
    has: inspected(main, ({Config}) => expect(Config.Labels).toMatchObject({'from.file': 'one'})),
  },
  annotations: {
    service: main,
    says: {annotations: {given: 'yes'}},
    has: inspected(main, ({HostConfig}) => expect(HostConfig.Annotations).toEqual({given: 'yes'})),
  },
  post_start: {
    service: main,
    says: {
      post_start: [
        {command: 'sh -c "pwd > /dev/shm/hooked; echo $$GIVEN >> /dev/shm/hooked"', user: '0', working_dir: '/tmp'},
        {
          command: [
            'sh',
            '-c',
            '[ "$$(grep CapEff /proc/self/status)" = "$$(grep CapEff /proc/1/status)" ] || echo more >> /dev/shm/hooked',
          ],
          user: '0',
          privileged: true,
        },
      ],
    },
    has: prints(main, 'cat /dev/shm/hooked', '/tmp\nyes\nmore'),
  },
  init: {service: 'terminal', says: {init: true}, has: prints('terminal', 'cat /proc/1/comm', /^(?!sleep$)./)},
  tty: {service: 'terminal', says: {tty: true}, has: written('terminal', '/is-terminal', /^yes$/)},
  stdin_open: {
    service: 'open',
    says: {stdin_open: true},
    has: written('open', '/input', /^(?!\/dev\/null)./),
  },
  restart: {
    service: 'failing',
    says: {restart: 'on-failure:2'},
    has: ({inspect}) =>
      eventually(async () => {
        const {RestartCount, State} = await inspect('attributes-failing-1');
        expect({RestartCount, Status: State.Status, ExitCode: State.ExitCode}).toEqual({
          RestartCount: 2,
          Status: 'exited',
          ExitCode: 3,
        });
      }),
  },
  stop_signal: {
    service: 'signalled',
    says: {stop_signal: 'SIGUSR1', stop_grace_period: '50s'},
    has: async ({host, inspect}) => {
      expect((await host.tscompose(['stop', 'signalled'])).code).toBe(0);
      expect((await inspect('attributes-signalled-1')).State.ExitCode).toBe(7);
    },
  },
  stop_grace_period: {
    service: 'stubborn',
    says: {stop_grace_period: '1s'},
    has: async ({host, inspect}) => {
      // It would end by itself long after its second, and before the ten that others have.
      expect((await host.tscompose(['stop', 'stubborn'])).code).toBe(0);
      expect((await inspect('attributes-stubborn-1')).State.ExitCode).toBe(137);
    },
  },
  logging: {
    service: 'silent',
    says: {logging: {driver: 'none'}},
    has: async ({host}) => {
      expect((await host.tscompose(['logs', 'silent'])).stdout).not.toContain('said');
    },
  },
  healthcheck: {
    service: main,
    says: {
      healthcheck: {
        test: ['CMD', 'test', '-e', '/www/index.html'],
        interval: '1s',
        start_period: '20s',
        start_interval: '100ms',
      },
    },
    has: ({inspect}) =>
      eventually(async () => expect((await inspect('attributes-main-1')).State.Health?.Status).toBe('healthy')),
  },
  platform: {
    service: main,
    says: {platform: `linux/${arch() === 'x64' ? 'amd64' : arch()}`},
    has: prints(main, 'uname -m', arch() === 'x64' ? 'x86_64' : 'aarch64'),
  },
};
