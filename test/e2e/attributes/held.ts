import {readlinkSync} from 'node:fs';
import {arch} from 'node:os';
import {expect} from 'vitest';
import type {ContainerInspect} from '../../../src/api/types/container.ts';
import {eventually} from '../../support/host.ts';
import type {RunningStack} from './stack.ts';

/** An attribute that the built-in engine carries out: what the stack file says, and that the container has it. */
export interface Held {
  /** The service that says it; several attributes share one. */
  readonly service: string;
  readonly says: object;
  readonly has: (stack: RunningStack) => Promise<void>;
}

/** Beside the stack file. */
export const heldFiles = {
  'content/index.html': 'from the machine',
  'one.env': 'FROM_FILE=one\nOVER=file\n',
  'one.labels': 'from.file=one\n',
  'base.yaml': 'services: {base: {environment: {FROM_BASE: base}}}',
  'config.txt': 'a config',
  'secret.txt': 'a secret',
};

export const heldResources = {
  networks: {front: {}, back: {}},
  volumes: {data: {}},
  configs: {settings: {file: './config.txt'}},
  secrets: {token: {file: './secret.txt'}},
};

const sleeps = {image: 'busybox', command: ['sleep', '600'], init: true};

/** What every service of the stack has, whatever is asked of it. */
export const heldServices: Readonly<Record<string, object>> = {
  main: {image: 'busybox'},
  terminal: {image: 'busybox', command: ['sh', '-c', 'test -t 1 && touch /is-terminal; exec sleep 600']},
  open: {image: 'busybox', command: ['sh', '-c', 'readlink /proc/self/fd/0 > /input; exec sleep 600'], init: true},
  limited: sleeps,
  shared: sleeps,
  deployed: sleeps,
  scaled: sleeps,
  alone: sleeps,
  first: {image: 'busybox', command: 'true'},
  failing: {image: 'busybox', command: ['sh', '-c', 'exit 3']},
  silent: {image: 'busybox', command: ['sh', '-c', 'echo said; exec sleep 600'], init: true},
  signalled: {image: 'busybox', command: ['sh', '-c', 'trap "exit 7" USR1; while true; do sleep 0.1; done']},
  stubborn: {image: 'busybox', command: ['sh', '-c', 'trap "" TERM; while true; do sleep 0.1; done']},
  optional: sleeps,
};

function prints(service: string, line: string, output: string | RegExp): Held['has'] {
  return async ({print}) => {
    if (typeof output === 'string') expect(await print(service, line)).toBe(output);
    else expect(await print(service, line)).toMatch(output);
  };
}

function inspected(service: string, has: (container: ContainerInspect) => void): Held['has'] {
  return async ({inspect}) => has(await inspect(`attributes-${service}-1`));
}

/** A file of the container's cgroup: of version 1 where it is there, else of version 2. */
function limit(service: string, v1: string, v2: string, output: RegExp): Held['has'] {
  return prints(service, `cat /sys/fs/cgroup/${v1} 2>/dev/null || cat /sys/fs/cgroup/${v2}`, output);
}

async function containersOf({host}: RunningStack, service: string): Promise<readonly string[]> {
  const {stdout} = await host.tscompose(['ps', '-q', service]);
  return stdout.split('\n').filter(Boolean);
}

function ownNamespace(kind: 'cgroup' | 'ipc'): Held['has'] {
  return async ({print}) => {
    const own = await print('alone', `readlink /proc/self/ns/${kind}`);
    expect(own).toMatch(new RegExp(`^${kind}:\\[\\d+\\]$`));
    expect(own).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
  };
}

const main = 'main';

/** Who runs, with what. */
const ofProcess: Readonly<Record<string, Held>> = {
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
  init: {service: 'terminal', says: {init: true}, has: prints('terminal', 'cat /proc/1/comm', /^(?!sleep$)./)},
  tty: {service: 'terminal', says: {tty: true}, has: prints('terminal', 'ls /is-terminal', '/is-terminal')},
  stdin_open: {
    service: 'open',
    says: {stdin_open: true},
    has: prints('open', 'cat /input', /^(?!\/dev\/null)./),
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
      expect((await host.tscompose(['stop', 'stubborn'], {timeoutMs: 8000})).code).toBe(0);
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

const onNetworks: Readonly<Record<string, Held>> = {
  ports: {
    service: main,
    says: {ports: ['127.0.0.1:18080:8080']},
    has: async ({host}) => {
      const {stdout} = await host.command('curl', ['-sS', '--max-time', '5', 'http://127.0.0.1:18080/index.html']);
      expect(stdout).toBe('from the machine');
    },
  },
  expose: {
    service: main,
    says: {expose: ['9999/udp']},
    has: inspected(main, ({Config}) => expect(Config.ExposedPorts).toHaveProperty('9999/udp')),
  },
  networks: {
    service: main,
    says: {networks: {front: {aliases: ['other-name'], priority: 10}, back: {}}},
    has: async ({print}) => {
      expect((await print(main, 'ls /sys/class/net')).split('\n').sort()).toEqual(['eth0', 'eth1', 'lo']);
      await print('terminal', 'nslookup other-name');
    },
  },
  mac_address: {
    service: main,
    says: {mac_address: '02:00:00:00:00:77'},
    has: prints(main, 'cat /sys/class/net/eth0/address', '02:00:00:00:00:77'),
  },
  links: {
    service: 'terminal',
    says: {links: ['main'], networks: ['front']},
    has: prints('terminal', 'nslookup main', /Address/),
  },
  network_mode: {service: 'alone', says: {network_mode: 'none'}, has: prints('alone', 'ls /sys/class/net', 'lo')},
  extra_hosts: {
    service: main,
    says: {extra_hosts: {elsewhere: ['192.0.2.7']}},
    has: prints(main, 'grep elsewhere /etc/hosts', /^192\.0\.2\.7\s+elsewhere$/),
  },
  dns: {
    service: 'alone',
    says: {dns: ['192.0.2.53']},
    has: prints('alone', 'cat /etc/resolv.conf', /^nameserver 192\.0\.2\.53$/m),
  },
  dns_search: {
    service: main,
    says: {dns_search: 'search.test'},
    has: prints(main, 'cat /etc/resolv.conf', /^search search\.test$/m),
  },
  dns_opt: {
    service: main,
    says: {dns_opt: ['ndots:3']},
    has: prints(main, 'cat /etc/resolv.conf', /^options .*ndots:3/m),
  },
};

const ofStorage: Readonly<Record<string, Held>> = {
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

const withLimits: Readonly<Record<string, Held>> = {
  cpus: {
    service: 'limited',
    says: {cpus: 0.5},
    has: limit('limited', 'cpu/cpu.cfs_quota_us', 'cpu.max', /^50000(?: 100000)?$/),
  },
  mem_limit: {
    service: 'limited',
    says: {mem_limit: '64m'},
    has: limit('limited', 'memory/memory.limit_in_bytes', 'memory.max', /^67108864$/),
  },
  mem_reservation: {
    service: 'limited',
    says: {mem_reservation: '32m'},
    has: limit('limited', 'memory/memory.soft_limit_in_bytes', 'memory.low', /^33554432$/),
  },
  memswap_limit: {
    service: 'limited',
    says: {memswap_limit: '96m'},
    // Where the kernel keeps no account of swap there is no file.
    has: prints(
      'limited',
      'cat /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes /sys/fs/cgroup/memory.swap.max 2>/dev/null || test ! -e /sys/fs/cgroup/memory.max',
      /^(?:100663296|33554432|)$/,
    ),
  },
  pids_limit: {service: 'limited', says: {pids_limit: 40}, has: limit('limited', 'pids/pids.max', 'pids.max', /^40$/)},
  cpu_shares: {
    service: 'shared',
    says: {cpu_shares: 512},
    has: limit('shared', 'cpu/cpu.shares', 'cpu.weight', /^(?:512|20)$/),
  },
  cpu_quota: {
    service: 'shared',
    says: {cpu_quota: 25_000},
    has: limit('shared', 'cpu/cpu.cfs_quota_us', 'cpu.max', /^25000(?: 50000)?$/),
  },
  cpu_period: {
    service: 'shared',
    says: {cpu_period: 50_000},
    has: limit('shared', 'cpu/cpu.cfs_period_us', 'cpu.max', /^(?:25000 )?50000$/),
  },
  oom_score_adj: {service: main, says: {oom_score_adj: 321}, has: prints(main, 'cat /proc/1/oom_score_adj', '321')},
  ulimits: {
    service: main,
    says: {ulimits: {nofile: {soft: 100, hard: 200}}},
    has: prints(main, 'grep "open files" /proc/1/limits', /\s100\s+200\s/),
  },
  sysctls: {
    service: main,
    says: {sysctls: {'net.core.somaxconn': 777}},
    has: prints(main, 'cat /proc/sys/net/core/somaxconn', '777'),
  },
  cap_add: {
    service: 'alone',
    says: {cap_add: ['SYS_TIME']},
    has: async ({print}) => expect(await capabilities(print, 'alone')).toContain(25),
  },
  cap_drop: {
    service: 'alone',
    says: {cap_drop: ['CHOWN']},
    has: async ({print}) => expect(await capabilities(print, 'alone')).not.toContain(0),
  },
  security_opt: {
    service: main,
    says: {security_opt: ['no-new-privileges:true']},
    has: prints(main, 'grep NoNewPrivs /proc/1/status', /\b1$/),
  },
  cgroup: {service: 'alone', says: {cgroup: 'private'}, has: ownNamespace('cgroup')},
  ipc: {service: 'alone', says: {ipc: 'private'}, has: ownNamespace('ipc')},
  deploy: {
    service: 'deployed',
    says: {
      deploy: {replicas: 2, resources: {limits: {memory: '48m', pids: 30}}, restart_policy: {condition: 'on-failure'}},
    },
    has: async (stack) => {
      expect(await containersOf(stack, 'deployed')).toHaveLength(2);
      await limit('deployed', 'memory/memory.limit_in_bytes', 'memory.max', /^50331648$/)(stack);
      const {HostConfig} = await stack.inspect('attributes-deployed-2');
      expect(HostConfig.RestartPolicy?.Name).toBe('on-failure');
    },
  },
};

/** What says how many there are, and when they come. */
const ofProject: Readonly<Record<string, Held>> = {
  scale: {
    service: 'scaled',
    says: {scale: 2},
    has: async (stack) => expect(await containersOf(stack, 'scaled')).toHaveLength(2),
  },
  profiles: {
    service: 'optional',
    says: {profiles: ['extra']},
    has: async ({host}) => {
      const {stdout} = await host.tscompose(['ps', '-a', '--format', 'json']);
      expect(stdout).toContain('attributes-main-1');
      expect(stdout).not.toContain('attributes-optional-1');
    },
  },
  depends_on: {
    service: main,
    says: {depends_on: {first: {condition: 'service_completed_successfully'}}},
    has: async ({inspect}) => {
      const [first, second] = await Promise.all([inspect('attributes-first-1'), inspect('attributes-main-1')]);
      expect(first.State.ExitCode).toBe(0);
      expect(first.State.FinishedAt < second.State.StartedAt).toBe(true);
    },
  },
  pull_policy: {
    service: main,
    says: {pull_policy: 'never'},
    has: inspected(main, ({State}) => expect(State.Running).toBe(true)),
  },
  isolation: {
    service: main,
    says: {isolation: 'default'},
    has: inspected(main, ({HostConfig}) => expect(HostConfig.Isolation ?? 'default').toBe('default')),
  },
};

async function capabilities(print: RunningStack['print'], service: string): Promise<readonly number[]> {
  const bits = BigInt(`0x${(await print(service, 'grep CapBnd /proc/1/status')).split(/\s+/)[1]}`);
  return Array.from({length: 41}, (_, bit) => bit).filter((bit) => (bits >> BigInt(bit)) % 2n === 1n);
}

/** By attribute. */
export const held: Readonly<Record<string, Held>> = {
  ...ofProcess,
  ...onNetworks,
  ...ofStorage,
  ...withLimits,
  ...ofProject,
};
