import {expect} from 'vitest';
import {cdiName} from '../../../support/cdi-file.ts';
import {type Held, inspected, prints} from './facts.ts';

/** Files beside the stack file that its services name. */
export const profileFiles = {
  'no-mkdir.json': JSON.stringify(
    {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28}],
    },
    null,
    2,
  ),
};

const gpu = cdiName();
const reserved = cdiName();

/** GPUs as a driver describes them: all files of this kind together say which there are. */
export const gpuFile = {
  cdiVersion: '0.5.0',
  kind: 'nvidia.com/gpu',
  devices: [gpu, reserved].map((name) => ({
    name,
    containerEdits: {env: [`GPU=${name}`], deviceNodes: [{path: '/dev/gpu', hostPath: '/dev/zero'}]},
  })),
};

/** Of the container's own process: what is executed in it later has not what devices bring. */
const gpuVariable = 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n" | grep ^GPU= | sort -u';

/** Device 240:7 belongs to no driver: to open it is "no such device" only where a container may. */
const opens = (service: string, may: 'may' | 'may not'): Held['has'] =>
  prints(
    service,
    'test -e /tmp/any || mknod /tmp/any c 240 7; head -c1 /tmp/any 2>&1 || true',
    may === 'may' ? /No such device or address$/ : /Operation not permitted$/,
  );

export const withRights: Readonly<Record<string, Held>> = {
  privileged: {
    service: 'privileged',
    says: {privileged: true},
    has: async (stack) => {
      await opens('privileged', 'may')(stack);
      await prints(
        'privileged',
        'grep -c " /proc/" /proc/mounts; mkdir -p /m; mount -t tmpfs t /m && echo mounted',
        /^0\nmounted$/,
      )(stack);
    },
  },
  devices: {
    service: 'devices',
    says: {devices: ['/dev/zero:/dev/mine:r']},
    has: async (stack) => {
      await prints(
        'devices',
        "stat -c '%F %t,%T' /dev/mine; head -c3 /dev/mine | wc -c",
        'character special file 1,5\n3',
      )(stack);
      await inspected('devices', ({HostConfig}) =>
        expect(HostConfig.Devices).toEqual([
          {PathOnHost: '/dev/zero', PathInContainer: '/dev/mine', CgroupPermissions: 'r'},
        ]),
      )(stack);
    },
  },
  device_cgroup_rules: {
    service: 'devices',
    says: {device_cgroup_rules: ['c 240:* rw']},
    has: async (stack) => {
      await opens('devices', 'may')(stack);
      await opens('filtered', 'may not')(stack);
    },
  },
  gpus: {
    service: 'devices',
    says: {gpus: [{device_ids: [gpu]}]},
    has: prints('devices', `${gpuVariable}; head -c3 /dev/gpu | wc -c`, `GPU=${gpu}\n3`),
  },
  security_opt: {
    service: 'filtered',
    says: {
      security_opt: ['no-new-privileges:true', 'seccomp=./no-mkdir.json', 'systempaths=unconfined', 'label=disable'],
    },
    has: async (stack) => {
      await prints('filtered', 'grep NoNewPrivs /proc/1/status', /\b1$/)(stack);
      await prints(
        'filtered',
        'mkdir /tmp/a 2>&1 || grep -c " /proc/" /proc/mounts || true',
        /No space left on device\n0$/,
      )(stack);
    },
  },
};

/** Of the attribute "deploy": GPUs in its long form. */
export const reservedGpu = {
  says: {devices: [{capabilities: ['gpu', 'utility'], driver: 'nvidia', device_ids: [reserved]}]},
  has: prints('deployed', gpuVariable, `GPU=${reserved}`),
};
