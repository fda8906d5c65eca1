import type {Clock} from '../base/clock.ts';
import type {Report, WaitInfo} from '../report/event.ts';
import {type Condition, evaluate, type Verdict} from './conditions.ts';
import {listenToProject} from './container-events.ts';
import type {EngineClient} from './engine-client.ts';

interface WaitOptions {
  readonly engine: EngineClient;
  readonly project: string;
  /** Wake up as soon as one of these is not pending any more. */
  readonly any: readonly Condition[];
  /** Wake up once none of these is pending, or one of them failed. */
  readonly all: readonly Condition[];
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/**
 * Events tell at once; looking again now and then is for what they cannot tell: an engine whose events broke off, and a
 * container whose monitor was lost, which is noticed by looking.
 */
const lookAgainMs = 2_000;

/** Waits, without any lock, until there is something new to act on. Returns also when the signal is raised. */
export async function waitForChange(options: WaitOptions): Promise<void> {
  const {clock, signal} = options;
  // Listening begins before looking, so that nothing happens unseen in between.
  await using events = await listenToProject(options);
  const verdicts = new Map<Condition, Verdict>();
  let changed: ReadonlySet<string> | undefined;
  while (!signal.aborted) {
    await Promise.all([...options.any, ...options.all].map((condition) => look(options, verdicts, condition, changed)));
    if (isNews(options, verdicts)) return;
    const awake = new AbortController();
    changed = await Promise.race([
      events.next(),
      clock.sleep(lookAgainMs, AbortSignal.any([awake.signal, signal])).then(() => undefined),
    ]);
    awake.abort();
  }
}

/** Looks at a condition again where one of its containers changed; `changed` undefined: in any case. */
async function look(
  {engine, report}: WaitOptions,
  verdicts: Map<Condition, Verdict>,
  condition: Condition,
  changed: ReadonlySet<string> | undefined,
): Promise<void> {
  if (changed !== undefined && !condition.containers.some(({id}) => changed.has(id))) return;
  const before = verdicts.get(condition);
  const verdict = await evaluate(engine, condition);
  verdicts.set(condition, verdict);
  if (verdict.state !== 'pending' || (before?.state === 'pending' && before.detail === verdict.detail)) return;
  report({kind: 'waiting', wait: waitInfo(condition), detail: verdict.detail});
}

function isNews(options: WaitOptions, verdicts: ReadonlyMap<Condition, Verdict>): boolean {
  const any = options.any.map((condition) => verdicts.get(condition)?.state);
  const all = options.all.map((condition) => verdicts.get(condition)?.state);
  if (any.some((state) => state !== 'pending')) return true;
  if (all.some((state) => state === 'failed' || state === 'changed')) return true;
  return any.length === 0 && all.every((state) => state === 'met');
}

export function waitInfo({service, condition, containers}: Condition): WaitInfo {
  return {service, condition, containers: containers.map(({name}) => name)};
}
