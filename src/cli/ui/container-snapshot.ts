import {composeLabels} from '../../api/labels.ts';
import type {ContainerInspect, ContainerState} from '../../api/types/container.ts';
import type {ContainerSnapshot, HealthInfo, PortInfo} from '../../tui/types.ts';

/** Docker's, where the stack file says nothing. */
const defaultRetries = 3;
const nanosPerCore = 1e9;

/** A container as the screen shows it. */
export function containerSnapshot(container: ContainerInspect): ContainerSnapshot {
  const {State: state, Config: config, HostConfig: host} = container;
  const labels = config.Labels ?? {};
  const finishedAt = timeOf(state.FinishedAt);
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ''),
    service: labels[composeLabels.service] ?? '',
    number: Number(labels[composeLabels.containerNumber] ?? 1) || 1,
    phase: state.Status,
    exitCode: finishedAt === undefined ? undefined : state.ExitCode,
    oomKilled: state.OOMKilled,
    // Only events tell it.
    stopRequested: false,
    health: healthInfo(state, config.Healthcheck?.Retries),
    startedAt: timeOf(state.StartedAt),
    finishedAt,
    restarts: container.RestartCount,
    memoryLimit: host.Memory ? host.Memory : undefined,
    cpuLimit: cpuLimit(host),
    ports: portsOf(container),
  };
}

/** Ms since the epoch; the year 1 stands for never. */
function timeOf(text: string): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) || time <= 0 ? undefined : time;
}

function healthInfo({Health: health, Running: running}: ContainerState, retries = 0): HealthInfo | undefined {
  if (health === undefined || health.Status === 'none' || !running) return undefined;
  const last = health.Log.at(-1);
  return {
    status: health.Status,
    failures: health.FailingStreak,
    retries: retries > 0 ? retries : defaultRetries,
    exitCode: last?.ExitCode,
    output: last?.Output.trim() ?? '',
  };
}

/** Percent of one core. */
function cpuLimit({NanoCpus = 0, CpuQuota = 0, CpuPeriod = 0}: ContainerInspect['HostConfig']): number | undefined {
  if (NanoCpus > 0) return (NanoCpus / nanosPerCore) * 100;
  return CpuQuota > 0 ? (CpuQuota / (CpuPeriod > 0 ? CpuPeriod : 100_000)) * 100 : undefined;
}

function portsOf({NetworkSettings: {Ports: ports}}: ContainerInspect): readonly PortInfo[] {
  return Object.entries(ports ?? {}).flatMap(([key, bindings]): readonly PortInfo[] => {
    const [target = '', protocol = 'tcp'] = key.split('/');
    const port = {target: Number(target), protocol: protocol as PortInfo['protocol']};
    if (!bindings || bindings.length === 0) return [{...port, address: '', published: undefined}];
    return bindings.map(({HostIp, HostPort}) => ({...port, address: HostIp ?? '', published: Number(HostPort)}));
  });
}
