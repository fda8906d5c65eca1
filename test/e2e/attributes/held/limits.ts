import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {expect} from 'vitest';
import type {RunningStack} from '../stack.ts';
import {containersOf, type Held, limit, main, prints} from './facts.ts';
import {reservedGpu} from './rights.ts';

/** Any whole block device of the machine. */
const disk = readdirSync('/sys/block')[0] ?? 'no-block-device';
const diskNumber = readFileSync(`/sys/block/${disk}/dev`, 'utf8').trim();

export const withLimits: Readonly<Record<string, Held>> = {
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
  cpuset: {
    service: 'shared',
    says: {cpuset: '0'},
    has: prints('shared', 'grep ^Cpus_allowed_list /proc/self/status', /:\s0$/),
  },
  blkio_config: {
    service: 'shared',
    says: {
      blkio_config: {
        device_read_bps: [{path: `/dev/${disk}`, rate: '2mb'}],
        device_write_iops: [{path: `/dev/${disk}`, rate: 300}],
      },
    },
    has: prints(
      'shared',
      'cat /sys/fs/cgroup/blkio/blkio.throttle.read_bps_device /sys/fs/cgroup/blkio/blkio.throttle.write_iops_device 2>/dev/null || cat /sys/fs/cgroup/io.max',
      new RegExp(`^${diskNumber} (?:2097152\\n${diskNumber} 300|rbps=2097152 .*wiops=300)$`),
    ),
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
  cgroup: {service: 'alone', says: {cgroup: 'private'}, has: ownNamespace('cgroup')},
  ipc: {service: 'alone', says: {ipc: 'private'}, has: ownNamespace('ipc')},
  deploy: {
    service: 'deployed',
    says: {
      deploy: {
        replicas: 2,
        resources: {limits: {memory: '48m', pids: 30}, reservations: reservedGpu.says},
        restart_policy: {condition: 'on-failure'},
      },
    },
    has: async (stack) => {
      expect(await containersOf(stack, 'deployed')).toHaveLength(2);
      await limit('deployed', 'memory/memory.limit_in_bytes', 'memory.max', /^50331648$/)(stack);
      const {HostConfig} = await stack.inspect('attributes-deployed-2');
      expect(HostConfig.RestartPolicy?.Name).toBe('on-failure');
      await reservedGpu.has(stack);
    },
  },
};

function ownNamespace(kind: 'cgroup' | 'ipc'): Held['has'] {
  return async ({print}) => {
    const own = await print('alone', `readlink /proc/self/ns/${kind}`);
    expect(own).toMatch(new RegExp(`^${kind}:\\[\\d+\\]$`));
    expect(own).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
  };
}

async function capabilities(print: RunningStack['print'], service: string): Promise<readonly number[]> {
  const bits = BigInt(`0x${(await print(service, 'grep CapBnd /proc/1/status')).split(/\s+/)[1]}`);
  return Array.from({length: 41}, (_, bit) => bit).filter((bit) => (bits >> BigInt(bit)) % 2n === 1n);
}
