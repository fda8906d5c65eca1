import {composeLabels} from '../../api/labels.ts';
import type {EngineEvent} from '../../api/types/system.ts';
import type {Docker} from '../../client/docker.ts';
import type {RunHistory} from '../../tui/run-history.ts';
import type {RestartCause} from '../../tui/types.ts';

/** What is older is of no help with what is wrong now, and a busy journal is long. */
const lookBackSeconds = 24 * 60 * 60;

/** Why the project's containers were started again before now, as far as the engine's events go back. */
export async function restartHistory(
  docker: Pick<Docker, 'getEvents'>,
  project: string,
  {nowMs, signal}: {readonly nowMs: number; readonly signal: AbortSignal},
): Promise<readonly RunHistory[]> {
  const until = nowMs / 1000;
  const filters = {
    type: ['container'],
    label: [`${composeLabels.project}=${project}`],
    event: ['start', 'die', 'oom', 'kill'],
  };
  const events = await docker.getEvents({since: until - lookBackSeconds, until, filters, abortSignal: signal});
  const runs = new Map<string, Run>();
  for await (const event of events) {
    const {ID: id} = event.Actor;
    const run = runs.get(id) ?? {history: {id, causes: [], previousStartedAt: undefined}};
    runs.set(id, after(run, event));
  }
  return [...runs.values()].map(({history}) => history).filter(({causes}) => causes.length > 0);
}

/** A container up to an event. */
interface Run {
  readonly history: RunHistory;
  readonly startedAt?: number;
  /** Since its last start: it ran out of memory; somebody ended it; it ended. */
  readonly oom?: boolean;
  readonly asked?: boolean;
  readonly exitCode?: number;
  /** Ended by the engine for its health. */
  readonly unhealthy?: boolean;
}

function after(run: Run, {Action: action, Actor: {Attributes: attributes}, time}: EngineEvent): Run {
  switch (action) {
    case 'oom':
      return {...run, oom: true};
    case 'kill':
      return isEnding(attributes['signal']) ? {...run, asked: true} : run;
    case 'die':
      return {
        ...run,
        exitCode: Number(attributes['exitCode'] ?? 0),
        ...(attributes['cause'] === 'unhealthy' ? {unhealthy: true} : {}),
      };
    case 'start': {
      const {history, startedAt, exitCode} = run;
      const startedAgain = time * 1000;
      if (exitCode === undefined) return {history, startedAt: startedAgain};
      const causes = [...history.causes, causeOf(run, exitCode, startedAgain)];
      return {history: {...history, causes, previousStartedAt: startedAt}, startedAt: startedAgain};
    }
    default:
      return run;
  }
}

function causeOf({oom, asked, unhealthy}: Run, exitCode: number, time: number): RestartCause {
  if (asked === true) return {time, kind: 'command'};
  if (unhealthy === true) return {time, kind: 'unhealthy'};
  return oom === true ? {time, kind: 'oom'} : {time, kind: 'exit', exitCode};
}

/** SIGTERM, SIGKILL, SIGINT, SIGQUIT, by number as Docker tells it; others are messages to a program. */
export function isEnding(signal: string | undefined): boolean {
  return signal !== undefined && /^(SIG)?(15|9|2|3|TERM|KILL|INT|QUIT)$/.test(signal);
}
