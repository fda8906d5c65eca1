import type {ContainerInspect} from '../api/types/container.ts';
import {hasKind, TscomposeError, toTscomposeError} from '../base/errors.ts';
import type {ContainerId} from '../plan/action.ts';
import type {Evidence, WaitInfo} from '../report/event.ts';
import type {EngineClient} from './engine-client.ts';

/** Something that must become true of the containers of a service. */
export interface Condition {
  readonly service: string;
  readonly condition: WaitInfo['condition'];
  readonly containers: readonly {readonly id: ContainerId; readonly name: string}[];
  /** `dependency failed to start: `: what a failure's message begins with. */
  readonly failurePrefix: string;
}

export type Verdict =
  /** Settled: by a probe or an end. Else a container runs, and may have just been started only to fail; `restarts` by policy. */
  | {readonly state: 'met'; readonly settled: boolean; readonly restarts: number}
  /** Detail: what is there instead, `shop-db-1 is starting`. */
  | {readonly state: 'pending'; readonly detail: string}
  | {
      readonly state: 'failed';
      readonly error: TscomposeError;
      readonly container: ContainerId;
      readonly name: string;
      readonly inspected: ContainerInspect;
    }
  /** A container is not there any more: the world must be observed again. */
  | {readonly state: 'changed'};

/** Looks once, at all containers of the service. Throws `dependencyFailed` where it has none. */
export async function evaluate(engine: EngineClient, condition: Condition): Promise<Verdict> {
  if (condition.containers.length === 0) {
    throw new TscomposeError(
      'dependencyFailed',
      `${condition.failurePrefix}service "${condition.service}" has no container`,
    );
  }
  let inspected: ContainerInspect[];
  try {
    inspected = await Promise.all(condition.containers.map(({id}) => engine.getContainer(id).inspect()));
  } catch (error) {
    if (hasKind(error, 'notFound')) return {state: 'changed'};
    throw error;
  }
  let pending: string | undefined;
  for (const container of inspected) {
    const name = container.Name.replace(/^\//, '');
    const judgement = judge(condition, name, container);
    if (judgement.state === 'failed') {
      const error = new TscomposeError('dependencyFailed', judgement.message, {hint: judgement.hint});
      return {state: 'failed', error, container: container.Id as ContainerId, name, inspected: container};
    }
    if (judgement.state === 'pending') pending ??= judgement.detail;
  }
  if (pending !== undefined) return {state: 'pending', detail: pending};
  return {
    state: 'met',
    settled: condition.condition !== 'running_or_healthy' || inspected.every(hasProbe),
    restarts: inspected.reduce((sum, {RestartCount}) => sum + RestartCount, 0),
  };
}

type Judgement =
  | {readonly state: 'met'}
  | {readonly state: 'pending'; readonly detail: string}
  | {readonly state: 'failed'; readonly message: string; readonly hint?: string};

function judge(condition: Condition, name: string, container: ContainerInspect): Judgement {
  // Nothing becomes of it until somebody lets it go on.
  if (container.State.Status === 'paused') {
    const {failurePrefix, service} = condition;
    return {
      state: 'failed',
      message: `${failurePrefix}container ${name} is paused`,
      hint: `let it go on: tscompose unpause ${service}`,
    };
  }
  switch (condition.condition) {
    case 'service_started':
      return isRunning(container) ? {state: 'met'} : {state: 'pending', detail: `${name} is ${container.State.Status}`};
    case 'service_completed_successfully':
      return judgeCompletion(condition, name, container);
    case 'service_healthy':
    case 'running_or_healthy':
      return judgeHealth(condition, name, container);
  }
}

function judgeCompletion({service}: Condition, name: string, {State}: ContainerInspect): Judgement {
  if (State.Status !== 'exited' && State.Status !== 'dead')
    return {state: 'pending', detail: `${name} is ${State.Status}`};
  if (State.ExitCode === 0) return {state: 'met'};
  return {
    state: 'failed',
    message: `service "${service}" didn't complete successfully: exit ${State.ExitCode}`,
    hint: lookAt(service),
  };
}

function judgeHealth(
  {condition, service, failurePrefix}: Condition,
  name: string,
  container: ContainerInspect,
): Judgement {
  const {State} = container;
  if (State.Status === 'exited' || State.Status === 'dead') {
    return {
      state: 'failed',
      message: `${failurePrefix}container ${name} exited (${State.ExitCode})`,
      hint: condition === 'running_or_healthy' && State.ExitCode === 0 ? oneShotHint : lookAt(service),
    };
  }
  if (!hasProbe(container)) {
    if (condition === 'service_healthy')
      return {
        state: 'failed',
        message: `${failurePrefix}container ${name} has no healthcheck configured`,
        hint: 'give it a "healthcheck", or wait for "condition: service_started" only',
      };
    return State.Status === 'running' ? {state: 'met'} : {state: 'pending', detail: `${name} is ${State.Status}`};
  }
  const status = State.Health?.Status ?? 'starting';
  // Between two runs its health is that of the run before.
  if (State.Status !== 'running') return {state: 'pending', detail: `${name} is ${State.Status}`};
  if (status === 'healthy') return {state: 'met'};
  if (status === 'unhealthy')
    return {state: 'failed', message: `${failurePrefix}container ${name} is unhealthy`, hint: checkProbe(service)};
  return {state: 'pending', detail: healthDetail(name, container)};
}

const checkProbe = (service: string): string =>
  `see what it wrote: tscompose logs ${service}; if it works, correct its "healthcheck"`;

const lookAt = (service: string): string => `see its output: tscompose logs ${service}`;

/** Compose counts a container that ended with 0 as a failure of `--wait`, unless a service waits for its completion. */
const oneShotHint =
  'a service that ends is waited for only if another one depends on it with "condition: service_completed_successfully"';

function healthDetail(name: string, {State}: ContainerInspect): string {
  const last = State.Health?.Log.at(-1);
  if (last === undefined) return `${name} is starting`;
  const output = last.Output.trim().split('\n')[0] ?? '';
  return `${name} is starting, last probe exit ${last.ExitCode}${output === '' ? '' : `: ${output}`}`;
}

function hasProbe(container: ContainerInspect): boolean {
  const test = container.Config.Healthcheck?.Test ?? [];
  return (
    (test.length > 0 && test[0] !== 'NONE') ||
    (container.State.Health !== undefined && container.State.Health.Status !== 'none')
  );
}

function isRunning(container: ContainerInspect): boolean {
  return container.State.Status === 'running';
}

const logLines = 10;

/** What can be told of a container that failed: its last probe and the end of its log. */
export async function collectEvidence(engine: EngineClient, container: ContainerInspect): Promise<Evidence> {
  const name = container.Name.replace(/^\//, '');
  const probe = container.State.Health?.Status === 'unhealthy' ? container.State.Health.Log.at(-1) : undefined;
  return {
    container: name,
    ...(probe === undefined ? {} : {probe: {exitCode: probe.ExitCode, output: probe.Output.trim()}}),
    log: await lastLines(engine, container.Id),
  };
}

async function lastLines(engine: EngineClient, id: string): Promise<readonly string[]> {
  let text = '';
  try {
    const decoder = new TextDecoder();
    for await (const chunk of await engine.getContainer(id).logs({tail: logLines}))
      text += decoder.decode(chunk.data, {stream: true});
  } catch (error) {
    // The failure itself is what counts: that its log cannot be read is said in its place.
    return [`(no log: ${toTscomposeError(error).message})`];
  }
  return text
    .replace(/\n$/, '')
    .split('\n')
    .filter((line, _index, lines) => lines.length > 1 || line !== '');
}
