import type {DeviceRequestBody} from '../../../api/types/container.ts';
import {TscomposeError} from '../../../base/errors.ts';
import type {CdiDevice, CdiRegistry} from './cdi/registry.ts';

/**
 * The CDI devices that requests mean: driver `cdi` names them, others ask for GPUs, which are found among the devices of
 * class `gpu`. Throws `unsupported` where no file offers them, `invalid` for what makes no sense, in Docker's words.
 */
export function requestedDevices(
  requests: readonly DeviceRequestBody[],
  registry: CdiRegistry,
): ReadonlyMap<string, CdiDevice> {
  const names = requests.flatMap((request) =>
    request.Driver === 'cdi' ? namedDevices(request) : gpuDevices(request, registry),
  );
  const missing = names.filter((name) => !registry.devices.has(name));
  if (missing.length > 0) {
    throw new TscomposeError(
      'unsupported',
      `CDI device injection failed: unresolvable CDI devices ${missing.join(', ')}`,
      {
        hint: whyNone(registry),
      },
    );
  }
  const found = names.flatMap((name) => [[name, registry.devices.get(name)] as const]);
  return new Map(found.filter((entry): entry is readonly [string, CdiDevice] => entry[1] !== undefined));
}

/** Nothing else makes sense beside names. */
function namedDevices({Count, DeviceIDs, Options}: DeviceRequestBody): readonly string[] {
  if (Count) throw new TscomposeError('invalid', 'unexpected count in CDI device request');
  if (Object.keys(Options ?? {}).length > 0)
    throw new TscomposeError('invalid', 'unexpected options in CDI device request');
  return DeviceIDs ?? [];
}

/** What a GPU can be asked for; a CDI device gives it all. */
const gpuAbilities: ReadonlySet<string> = new Set([
  ...['gpu', 'nvidia', 'compute', 'compat32', 'graphics', 'utility', 'video', 'display'],
]);

/** Kinds of GPUs by the driver that is asked for. */
const gpuKinds: Readonly<Record<string, string>> = {
  nvidia: 'nvidia.com/gpu',
  amd: 'amd.com/gpu',
  intel: 'intel.com/gpu',
};

function gpuDevices(request: DeviceRequestBody, registry: CdiRegistry): readonly string[] {
  const {DeviceIDs, Options} = request;
  const Count = request.Count ?? 0;
  const kind = gpuKind(request, registry);
  if (kind === undefined) throw notSelected(request, whyNone(registry));
  const [option] = Object.keys(Options ?? {});
  if (option !== undefined)
    throw new TscomposeError('unsupported', `this engine does not support the option "${option}" of a device request`);
  const ids = DeviceIDs ?? [];
  if (ids.length > 0 && Count !== 0)
    throw new TscomposeError('invalid', 'cannot set both Count and DeviceIDs on device request');
  if (ids.length > 0) return ids.map((id) => `${kind}=${id}`);
  const all = `${kind}=all`;
  if (Count < 0 && registry.devices.has(all)) return [all];
  const names = devicesOf(kind, registry);
  if (Count > names.length)
    throw notSelected(
      request,
      `${names.length === 1 ? '1 is' : `${names.length} are`} there, and ${Count} are asked for`,
    );
  return Count < 0 ? names : names.slice(0, Count);
}

/** The kind that a driver's name stands for; without one, the first that there is. */
function gpuKind({Driver, Capabilities}: DeviceRequestBody, {devices}: CdiRegistry): string | undefined {
  const canDo = (Capabilities ?? []).some(
    (together) => together.includes('gpu') && together.every((ability) => gpuAbilities.has(ability)),
  );
  if (!canDo) return undefined;
  const kinds = new Set([...devices.values()].map(({spec}) => spec.kind).filter((kind) => kind.endsWith('/gpu')));
  const wanted = Driver ? [gpuKinds[Driver] ?? ''] : [...Object.values(gpuKinds), ...[...kinds].sort()];
  return wanted.find((kind) => kinds.has(kind));
}

/** Each device once: a driver describes it by number and by other names. */
function devicesOf(kind: string, {devices}: CdiRegistry): readonly string[] {
  const names = [...devices.keys()].filter((name) => name.startsWith(`${kind}=`) && name !== `${kind}=all`);
  const numberOf = (name: string): string => name.slice(kind.length + 1);
  const numbered = names.filter((name) => /^\d+$/.test(numberOf(name)));
  return numbered.length === 0 ? names : numbered.sort((a, b) => Number(numberOf(a)) - Number(numberOf(b)));
}

function notSelected({Driver, Capabilities}: DeviceRequestBody, hint: string): TscomposeError {
  const lists = (Capabilities ?? []).map((together) => `[${together.join(' ')}]`).join(' ');
  return new TscomposeError(
    'unsupported',
    `could not select device driver ${JSON.stringify(Driver ?? '')} with capabilities: [${lists}]`,
    {hint},
  );
}

function whyNone({directories, problems}: CdiRegistry): string {
  const [first] = problems;
  return `devices are described by CDI files in ${directories.join(' and ')}: ${first ?? 'none there offers it'}`;
}
