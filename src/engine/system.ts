import {readFile} from 'node:fs/promises';
import {apiVersion, oldestServedVersion} from '../api/version.ts';
import {asksForSteps, withoutSteps} from './container/build-steps.ts';
import {measureUsage, type UsageContext} from './disk-usage.ts';
import type {System} from './engine.ts';
import type {Events} from './events.ts';
import {describeSystem, type InfoContext} from './system-info.ts';

export interface SystemContext extends UsageContext, InfoContext {
  readonly events: Events;
  /** As Node names it. */
  readonly architecture: string;
}

const architectures: Readonly<Record<string, string>> = {x64: 'amd64'};

export function createSystem(context: SystemContext): System {
  const {version, events, architecture} = context;
  return {
    version: async () => ({
      Platform: {Name: 'tscompose'},
      Version: version,
      ApiVersion: apiVersion,
      MinAPIVersion: oldestServedVersion,
      Os: 'linux',
      Arch: architectures[architecture] ?? architecture,
      KernelVersion: (await readFile('/proc/sys/kernel/osrelease', 'utf8')).trim(),
    }),
    info: () => describeSystem(context),
    df: (types) => measureUsage(context, types),
    events: (options, signal) => {
      const all = events.follow(options, signal);
      return asksForSteps(options.filters ?? {}) ? all : withoutSteps(all);
    },
  };
}
