import {oneLine} from '../report/cells.ts';
import type {Glyphs} from './glyphs.ts';
import type {ReplicaState, RestartCause, ServiceState, StyleName} from './types.ts';

/** How a container or a service is: always a sign and a word. */
export interface Status {
  readonly glyph: keyof Glyphs & ('running' | 'busy' | 'restarting' | 'bad' | 'idle' | 'paused');
  readonly word: string;
  readonly style: StyleName;
  /** The worst of a service's replicas speaks for it. */
  readonly severity: number;
}

export function replicaStatus({phase, health, exitCode, oomKilled, stopRequested}: ReplicaState): Status {
  switch (phase) {
    case 'running':
      if (health?.status === 'unhealthy') return {glyph: 'bad', word: 'unhealthy', style: 'bad', severity: 8};
      if (health?.status === 'starting') return {glyph: 'busy', word: 'starting', style: 'busy', severity: 5};
      return {glyph: 'running', word: 'running', style: 'good', severity: 0};
    case 'starting':
    case 'stopping':
    case 'removing':
      return {glyph: 'busy', word: phase, style: 'busy', severity: 5};
    case 'restarting':
      return {glyph: 'restarting', word: phase, style: 'warning', severity: 7};
    case 'paused':
      return {glyph: 'paused', word: phase, style: 'warning', severity: 4};
    case 'created':
      return {glyph: 'idle', word: phase, style: 'dim', severity: 3};
    case 'dead':
      return {glyph: 'bad', word: phase, style: 'bad', severity: 9};
    case 'exited':
      if (oomKilled) return {glyph: 'bad', word: 'oom-killed', style: 'bad', severity: 9};
      // Ended by the signals that stopping sends: nothing is wrong with it.
      if (stopRequested || exitCode === 143 || exitCode === 130)
        return {glyph: 'idle', word: 'stopped', style: 'dim', severity: 2};
      // By a stop that it took no notice of, or by anybody: nothing tells.
      if (exitCode === 137) return {glyph: 'idle', word: 'killed', style: 'dim', severity: 2};
      if (exitCode === 0) return {glyph: 'idle', word: 'exited 0', style: 'dim', severity: 1};
      return {glyph: 'bad', word: `exited ${exitCode ?? '?'}`, style: 'bad', severity: 9};
  }
}

export function serviceStatus({replicas, wanted}: ServiceState): Status {
  if (replicas.length === 0) {
    if (wanted === 0) return {glyph: 'idle', word: 'not wanted', style: 'dim', severity: 0};
    return {glyph: 'idle', word: 'missing', style: 'dim', severity: 3};
  }
  return replicas.map(replicaStatus).reduce((worst, status) => (status.severity > worst.severity ? status : worst));
}

export function isUp({phase}: ReplicaState): boolean {
  return phase === 'running' || phase === 'paused';
}

/** Of a job that did what it had to do, nothing is missing. */
export function isDone({replicas}: ServiceState): boolean {
  return replicas.length > 0 && replicas.every(isJobDone);
}

function isJobDone({phase, exitCode, stopRequested}: ReplicaState): boolean {
  return phase === 'exited' && exitCode === 0 && !stopRequested;
}

export interface HealthText {
  readonly glyph: 'ok' | 'bad' | 'pending' | undefined;
  readonly text: string;
  /** For nine cells with the sign. */
  readonly short: string;
  readonly style: StyleName;
}

/** Of the replica that is worst: `ok`, `2 of 5 failed`, `exit 2: connection refused`; nothing where there is no probe. */
export function healthText(replicas: readonly ReplicaState[]): HealthText {
  const probed = replicas.filter((replica) => isUp(replica) && replica.health !== undefined);
  const worst =
    probed.find(({health}) => health?.status === 'unhealthy') ??
    probed.find(({health}) => health?.status === 'starting') ??
    probed[0];
  const health = worst?.health;
  if (health === undefined) return {glyph: undefined, text: '', short: '', style: 'dim'};
  const said = oneLine(health.output.split('\n').find((line) => line.trim() !== '') ?? '');
  const short = probeEnd(health.exitCode);
  const probe = `${short}${said === '' ? '' : `: ${said}`}`;
  switch (health.status) {
    case 'healthy':
      if (health.failures === 0) return {glyph: 'ok', text: 'ok', short: 'ok', style: 'good'};
      return {glyph: 'ok', text: `ok, last ${probe}`, short: 'ok', style: 'warning'};
    case 'starting':
      if (health.failures === 0) return {glyph: 'pending', text: 'probing', short: 'probing', style: 'busy'};
      return {glyph: 'pending', text: probe, short, style: 'busy'};
    case 'unhealthy':
      return {glyph: 'bad', text: probe, short, style: 'bad'};
  }
}

/** How a probe ended: the engine writes -1 for one that took longer than it may. */
export function probeEnd(exitCode: number | undefined): string {
  return exitCode === undefined || exitCode < 0 ? 'timeout' : `exit ${exitCode}`;
}

/** A word or two for the column of restarts. */
export function shortCause({kind, exitCode}: RestartCause): string {
  switch (kind) {
    case 'exit':
      return `exit ${exitCode ?? '?'}`;
    case 'oom':
      return 'oom';
    case 'monitorLost':
      return 'monitor';
    case 'watch':
      return 'save';
    case 'unhealthy':
      return 'health';
    case 'command':
      return 'command';
    case 'recreated':
      return 'recreated';
  }
}
