import type {Json} from '../../base/canonical-json.ts';
import type {Service} from '../types.ts';
import type {BlkioConfig, DeviceRate} from '../types-devices.ts';
import type {Attribute} from './attribute.ts';
import {bytes, integer, list, object, type Reader, refine, text, wrong} from './readers.ts';

type Row<K extends keyof Service> = Attribute<Exclude<Service[K], undefined>>;

const weight: Reader<number> = refine(integer, (value, node, context) =>
  value >= 0 && value <= 65_535
    ? value
    : wrong(node, context, {message: `${value} is not a weight`, hint: 'write a number from 10 to 1000'}),
);

const weights = list(
  refine(object<{readonly path?: string; readonly weight?: number}>({path: text, weight}), (value) => ({
    path: value.path ?? '',
    weight: value.weight ?? 0,
  })),
);

const rates: Reader<readonly DeviceRate[]> = list(
  refine(object<Partial<DeviceRate>>({path: text, rate: bytes}), (value) => ({
    path: value.path ?? '',
    rate: value.rate ?? 0,
  })),
);

const append = {append: true} as const;
const rateNames = ['device_read_bps', 'device_read_iops', 'device_write_bps', 'device_write_iops'] as const;
const rateMembers = {
  device_read_bps: 'BlkioDeviceReadBps',
  device_read_iops: 'BlkioDeviceReadIOps',
  device_write_bps: 'BlkioDeviceWriteBps',
  device_write_iops: 'BlkioDeviceWriteIOps',
} as const;

const blkio_config: Row<'blkio_config'> = {
  merge: {members: {weight_device: append, ...Object.fromEntries(rateNames.map((name) => [name, append]))}},
  read: object<BlkioConfig>({
    weight,
    weight_device: weights,
    device_read_bps: rates,
    device_read_iops: rates,
    device_write_bps: rates,
    device_write_iops: rates,
  }),
  lower: (value, {host}) => {
    if (value.weight !== undefined) host.BlkioWeight = value.weight;
    if (value.weight_device !== undefined)
      host.BlkioWeightDevice = value.weight_device.map(({path, weight: share}) => ({Path: path, Weight: share}));
    for (const name of rateNames) {
      const devices = value[name];
      if (devices !== undefined)
        host[rateMembers[name]] = devices.map(({path, rate: most}) => ({Path: path, Rate: most}));
    }
  },
  render: ({weight: share, weight_device, ...devices}): Json => ({
    ...(share === undefined || share === 0 ? {} : {weight: share}),
    ...(weight_device === undefined || weight_device.length === 0 ? {} : {weight_device}),
    ...Object.fromEntries(
      rateNames.flatMap((name) => {
        const all = devices[name] ?? [];
        return all.length === 0 ? [] : [[name, all.map(({path, rate}) => ({path, rate: String(rate)}))]];
      }),
    ),
  }),
  change: 'recreate',
};

export const blockIoAttributes = {blkio_config} as const;
