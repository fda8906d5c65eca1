import type {ProgressContent} from '../../report/event.ts';
import type {WatchCause, WatchContent, WatchTimes} from '../../report/watch-event.ts';
import type {UiEventContent, WatchState} from '../../tui/types.ts';

type Of<K extends WatchContent['kind']> = WatchContent & {readonly kind: K};

const quiet: WatchState = {
  status: 'on',
  rules: 0,
  p50Ms: undefined,
  p95Ms: undefined,
  pending: 0,
  detail: undefined,
};

/** Turns what watching tells into what the screen shows of it. What it tells of its own `up` is told by the containers. */
export function watchReporter(emit: (event: UiEventContent) => void): (event: ProgressContent) => void {
  let state = quiet;
  const pending = new Map<string, number>();
  const set = (change: Partial<WatchState>): void => {
    state = {...state, ...change, pending: [...pending.values()].reduce((sum, count) => sum + count, 0)};
    emit({kind: 'watch', watch: state});
  };
  const building = new Map<string, string>();
  const setBuilding = (): void => set({building: [...building].map(([service, step]) => ({service, step}))});
  const settle = (service: string): void => {
    pending.delete(service);
    set({status: state.status === 'failed' ? 'on' : state.status});
  };
  const notice = (level: 'info' | 'good' | 'warning' | 'error', text: string, service?: string): void =>
    emit({kind: 'notice', level, text, ...(service === undefined ? {} : {service})});
  const applied = (
    event: Of<'watchSynced' | 'watchRestarted' | 'watchRebuilt' | 'watchExecuted'>,
    done: string,
    took?: number,
  ): void => {
    settle(event.service);
    emit({
      kind: 'watchApplied',
      service: event.service,
      text: `${describeCause(event.cause)} → ${done}`,
      tookMs: took,
      restarted: event.kind === 'watchRestarted' || event.kind === 'watchRebuilt',
    });
  };
  return (event) => {
    switch (event.kind) {
      case 'watchReady':
        return set({status: 'on', rules: event.services.reduce((sum, {rules}) => sum + rules, 0), detail: undefined});
      case 'watchBatch':
        for (const service of event.services) pending.set(service, (pending.get(service) ?? 0) + event.changes);
        return set({detail: describeCause(event.cause)});
      case 'watchSynced':
        return event.leadsOn === true ? undefined : applied(event, 'synced', event.visibleMs);
      case 'watchRestarted':
        return applied(event, `restarted, ${event.outcome}`, event.servingMs);
      case 'build':
        emit(event);
        if (noteBuild(building, event)) setBuilding();
        return;
      case 'watchRebuilt':
        return applied(event, `rebuilt, ${event.outcome}`, event.servingMs);
      case 'watchRebuildFailed':
        settle(event.service);
        set({status: 'failed', detail: event.failure.message});
        return notice('error', event.failure.message, event.service);
      case 'watchExecuted': {
        const command = event.command.join(' ');
        if (event.exitCode === 0) return applied(event, `ran ${command}`, event.tookMs);
        settle(event.service);
        return notice(
          'error',
          `${command} ended with code ${event.exitCode}: ${event.output.at(-1) ?? ''}`,
          event.service,
        );
      }
      case 'watchFailed':
        pending.set(event.service, event.pending);
        set({status: 'failed', detail: event.failure.message});
        return notice('error', event.failure.message, event.service);
      case 'watchSuspended':
        set({status: 'paused', detail: `${event.rule} sets itself off`});
        return notice('warning', `${event.rule} sets itself off and is let be: ${event.hint}`, event.service);
      case 'watchResumed':
        set({status: 'on', detail: undefined});
        return notice('info', `${event.rule} is watched again`, event.service);
      case 'watchStack':
        return stackNotice(event, notice);
      case 'watchTimes':
        return set(medians(event.services));
      case 'watchEnded':
        return emit({kind: 'watch', watch: undefined});
      default:
        return undefined;
    }
  };
}

/** How far each build has come, `[2/5]`; answers whether that is news. */
function noteBuild(
  building: Map<string, string>,
  {build, event}: Extract<ProgressContent, {readonly kind: 'build'}>,
): boolean {
  switch (event.kind) {
    case 'began':
      building.set(build, '');
      return true;
    case 'step': {
      const step = event.status === 'start' ? /^\[[^\]]*\d+\/\d+\]/.exec(event.title)?.[0] : undefined;
      if (step === undefined || building.get(build) === step) return false;
      building.set(build, step);
      return true;
    }
    case 'built':
    case 'ended':
      return building.delete(build);
    default:
      return false;
  }
}

function describeCause({paths, more}: WatchCause): string {
  // Nothing was saved: a container came up, or watching began.
  if (paths.length === 0) return 'first sync';
  return `${paths.join(', ')}${more > 0 ? ` +${more}` : ''}`;
}

function stackNotice(
  {state, cause, lines, failure}: Of<'watchStack'>,
  notice: (level: 'info' | 'good' | 'warning' | 'error', text: string) => void,
): void {
  const file = describeCause(cause);
  switch (state) {
    case 'unchanged':
    case 'applying':
      return;
    case 'applied':
      notice('good', `${file} was saved and applied`);
      return;
    case 'held':
      notice('warning', `${file} was saved and waits for a yes: ${lines.join('; ')}`);
      return;
    case 'invalid':
      notice('error', `${file} was saved and has problems: see the plan`);
      return;
    case 'failed':
      notice('error', `${file} was saved and could not be applied: ${failure?.message ?? lines.join('; ')}`);
      return;
  }
}

/** Of the service that was saved most often: what it serves counts, else what is in it. */
function medians(services: readonly WatchTimes[]): Pick<WatchState, 'p50Ms' | 'p95Ms'> {
  const [most] = [...services].sort((a, b) => b.saves - a.saves);
  const times = most?.serving ?? most?.visible;
  return {p50Ms: times?.p50Ms, p95Ms: times?.p95Ms};
}
