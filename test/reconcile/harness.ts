import {composeLabels, specLabel} from '../../src/api/labels.ts';
import {type Clock, systemClock} from '../../src/base/clock.ts';
import {imageOf} from '../../src/model/image.ts';
import type {Project} from '../../src/model/types.ts';
import type {UpOptions} from '../../src/plan/input.ts';
import {down, up} from '../../src/reconcile/commands.ts';
import type {ConvergeContext} from '../../src/reconcile/converge.ts';
import type {Lowering} from '../../src/reconcile/lowering.ts';
import type {ProgressContent} from '../../src/report/event.ts';
import {plainLines} from '../../src/report/plain.ts';
import {desiredOf, type ProjectParts, project} from '../plan/fixtures.ts';
import {type ClientOptions, MemoryEngine} from './memory-engine.ts';

/** Requests with nothing in them but names and labels. */
export function loweringOf(of: Project): Lowering {
  const desired = desiredOf(of);
  const labels = {[composeLabels.project]: of.name};
  const spec = (value: unknown): Record<string, string> => ({
    [specLabel]: JSON.stringify({v: 1, ...(value as object)}),
  });
  return {
    network: (key) => ({
      Name: of.networks[key]?.name ?? key,
      Internal: of.networks[key]?.internal ?? false,
      Labels: {...labels, ...spec(desired.networks[key]), [composeLabels.network]: key},
    }),
    volume: (key) => ({
      Name: of.volumes[key]?.name ?? key,
      Labels: {...labels, ...spec(desired.volumes[key]), [composeLabels.volume]: key},
    }),
    container: ({service, replica}) => {
      const definition = of.services[service];
      const networks = Object.keys(definition?.networks ?? {}).map((key) => of.networks[key]?.name ?? key);
      return {
        Image: imageOf(of, service) ?? '',
        Labels: {
          ...labels,
          ...spec(desired.services[service]),
          [composeLabels.service]: service,
          [composeLabels.containerNumber]: String(replica),
          [composeLabels.oneOff]: 'False',
        },
        HostConfig: {
          Mounts: (definition?.volumes ?? []).map((mount) => ({
            Type: mount.type,
            Target: mount.target,
            ...(mount.source === undefined ? {} : {Source: of.volumes[mount.source]?.name ?? mount.source}),
          })),
        },
        NetworkingConfig: {EndpointsConfig: Object.fromEntries(networks.map((name) => [name, {}]))},
      };
    },
  };
}

/** A clock that goes twenty times as fast, so that no test waits for what only gives others time. */
const fastClock: Clock = {
  now: () => Date.now() * 20,
  sleep: (ms, signal) => systemClock(Date.now).sleep(ms / 20, signal),
};

/** An engine that has an image for every service of the project. */
export function engineFor(parts: ProjectParts): MemoryEngine {
  const engine = new MemoryEngine();
  for (const {image} of Object.values(project(parts).services)) if (image !== undefined) engine.addImage(image);
  return engine;
}

export interface Run {
  readonly events: ProgressContent[];
  readonly context: ConvergeContext;
  readonly abort: () => void;
  /** What the plain reporter would have printed, without times. */
  readonly lines: () => string[];
}

export function runOn(engine: MemoryEngine, options: ClientOptions = {}): Run {
  const events: ProgressContent[] = [];
  const controller = new AbortController();
  return {
    events,
    context: {
      engine: engine.client(options),
      clock: fastClock,
      report: (event) => void events.push(event),
      signal: controller.signal,
    },
    abort: () => controller.abort(),
    lines: () =>
      events.flatMap((event) => plainLines({time: 0, ...event})).map((line) => line.replace(/ \(\d+\.\d+s\)$/, '')),
  };
}

export function upProject(
  parts: ProjectParts,
  run: Run,
  options: UpOptions = {},
  wait?: {readonly timeoutMs?: number},
): Promise<unknown> {
  const of = project(parts);
  return up(
    {project: of, desired: desiredOf(of), lowering: loweringOf(of), options, ...(wait === undefined ? {} : {wait})},
    run.context,
  );
}

export function downProject(parts: ProjectParts, run: Run, options: Parameters<typeof down>[1] = {}): Promise<void> {
  const of = project(parts);
  return down({name: of.name, project: of}, options, run.context);
}
