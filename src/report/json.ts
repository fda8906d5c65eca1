import type {ProgressContent, ProgressEvent} from './event.ts';
import {nodeJson, planJson} from './plan-json.ts';
import type {Output, Reporter} from './reporter.ts';

/** One JSON object a line for each event: the whole truth, for programs. */
export function jsonReporter(options: {readonly output: Output; readonly now: () => number}): Reporter {
  const report = (content: ProgressContent): void => {
    options.output.write(`${JSON.stringify(eventJson({time: options.now(), ...content}))}\n`);
  };
  return {report, pause: () => () => undefined, finish: () => undefined};
}

/** The time as RFC 3339; nodes and plans in their public form. */
function eventJson(event: ProgressEvent): Readonly<Record<string, unknown>> {
  const {time, kind, ...rest} = event;
  const head = {v: 1, time: new Date(time).toISOString(), kind};
  if ('plan' in rest) return {...head, ...rest, plan: planJson(rest.plan)};
  if ('node' in rest && rest.node !== undefined) return {...head, ...rest, node: nodeJson(rest.node)};
  return {...head, ...rest};
}
