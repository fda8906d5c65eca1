import type {LogResult} from './log-result.ts';
import type {LogLine, LogQuery, LogReader} from './log-store.ts';
import type {ReplicaState, UiState} from './types.ts';

/** The lines that the log pane shows, by the selection and the settings. */
export function shownLines(state: UiState, logs: LogReader): LogResult<LogLine> {
  return logs.query(logQuery(state));
}

/** Those of them that the search finds; undefined where nothing is searched. */
export function foundLines(state: UiState, logs: LogReader): LogResult<LogLine> | undefined {
  const {search, filter} = state.log;
  if (search === '') return undefined;
  const query = logQuery(state);
  // Of what is filtered, the search finds a part: both must match.
  return logs.query({...query, filter, search});
}

export function logQuery({log, selection, services}: UiState): LogQuery {
  const service = log.scope === 'all' && !log.previous ? undefined : selection?.service;
  const number = service === undefined ? undefined : selection?.replica;
  const replicas = services.find(({name}) => name === service)?.replicas ?? [];
  return {
    service,
    number,
    filter: log.filter,
    search: '',
    times: log.previous ? replicas.map(previousRun) : undefined,
  };
}

/** From the start of the run before the present one (as far back as is known) to the start of the present one. */
function previousRun({number, startedAt, previousStartedAt, phase}: ReplicaState): {
  readonly number: number;
  readonly from: number;
  readonly to: number;
} {
  // What has ended shows what it wrote last.
  const to = phase === 'running' || phase === 'paused' ? (startedAt ?? 0) : Number.MAX_SAFE_INTEGER;
  return {number, from: (to === startedAt ? previousStartedAt : startedAt) ?? 0, to};
}

/** Heads of lines: `api-2`, where a service has several containers, else `db`. */
export function lineLabels({services}: UiState): (line: LogLine) => string {
  const many = new Set(
    services.filter(({replicas, wanted}) => replicas.length > 1 || (wanted ?? 0) > 1).map(({name}) => name),
  );
  return ({service, number}) => (many.has(service) ? `${service}-${number}` : service);
}
