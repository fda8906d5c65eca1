import type {ContainerState} from '../../api/types/container.ts';
import {parseNanoseconds, zeroTime} from '../clock.ts';

/** `Up 3 seconds (healthy)`, `Exited (0) 2 minutes ago`, `Created`: as `docker ps` shows it. */
export function statusText(state: ContainerState, nowMs: number): string {
  const since = (time: string) => humanDuration((nowMs - Number((parseNanoseconds(time) ?? 0n) / 1_000_000n)) / 1000);
  if (state.Restarting) return `Restarting (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
  if (state.Paused) return `Up ${since(state.StartedAt)} (Paused)`;
  if (state.Running) {
    const health = state.Health?.Status;
    const note =
      health === undefined || health === 'none' ? '' : ` (${health === 'starting' ? 'health: starting' : health})`;
    return `Up ${since(state.StartedAt)}${note}`;
  }
  if (state.StartedAt === zeroTime) return 'Created';
  return state.FinishedAt === zeroTime ? '' : `Exited (${state.ExitCode}) ${since(state.FinishedAt)} ago`;
}

/** Docker's rounding (go-units HumanDuration). */
export function humanDuration(exactSeconds: number): string {
  const seconds = Math.floor(exactSeconds);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(exactSeconds / 3600 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(exactSeconds / 3600 / 24 / 365)} years`;
}
