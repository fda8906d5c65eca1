import {readFile} from 'node:fs/promises';
import {apiVersion, oldestServedVersion} from '../api/version.ts';
import type {System} from './engine.ts';
import type {Events} from './events.ts';

export interface SystemContext {
  /** Of the program. */
  readonly version: string;
  readonly events: Events;
  /** As Node names it. */
  readonly architecture: string;
}

const architectures: Readonly<Record<string, string>> = {x64: 'amd64'};

export function createSystem({version, events, architecture}: SystemContext): System {
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
    events: (options, signal) => events.follow(options, signal),
  };
}
