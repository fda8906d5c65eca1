import type {BuildEvent} from '../api/types/build.ts';
import {renderDiagnostic} from '../base/diagnostic.ts';

export interface BuildLinesOptions {
  readonly write: (text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly color?: boolean | undefined;
}

interface Running {
  readonly number: number;
  readonly title: string;
  readonly since: number;
  /** What was written of a line that has not ended. */
  rest: string;
}

/** Tells a build line by line as BuildKit does: `#2 [1/3] FROM busybox`, `#2 0.12 output`, `#2 DONE 0.3s`. */
export function buildLines({write, now, color = false}: BuildLinesOptions): (event: BuildEvent) => void {
  const steps = new Map<number, Running>();
  const line = (text: string) => write(`${text}\n`);
  const seconds = (since: number, digits: number) => ((now() - since) / 1000).toFixed(digits);
  const flush = (step: Running) => {
    if (step.rest !== '') line(`#${step.number} ${seconds(step.since, 3)} ${step.rest}`);
    step.rest = '';
  };
  return (event) => {
    if (event.kind === 'warning') return line(renderDiagnostic(event.warning, {color}));
    if (event.kind === 'note') return line(event.text);
    if (event.kind === 'built') {
      for (const name of event.names) line(`naming to ${name}`);
      return line(`built ${event.image}`);
    }
    if (event.kind === 'exported') return line(`wrote ${event.path}`);
    if (event.kind === 'pushing') return line(event.status);
    if (event.kind === 'metadata') return undefined;
    if (event.kind === 'step' && event.status === 'start') {
      const number = steps.size + 1;
      steps.set(event.step, {number, title: event.title, since: now(), rest: ''});
      return line(`#${number} ${event.title}`);
    }
    const step = steps.get(event.step);
    if (step === undefined) return undefined;
    if (event.kind === 'output') {
      const parts = (step.rest + event.text).split(/\r?\n/);
      step.rest = parts.pop() ?? '';
      for (const part of parts) line(`#${step.number} ${seconds(step.since, 3)} ${part}`);
      return undefined;
    }
    if (event.kind === 'explained') {
      const {explained} = event;
      if (explained.verdict === 'cached')
        return line(`#${step.number} from ${cacheOf(explained)}: nothing that it is made of changed`);
      for (const reason of explained.reasons) line(`#${step.number} not from the cache: ${reason}`);
      return undefined;
    }
    flush(step);
    const words = {cached: 'CACHED', done: `DONE ${seconds(step.since, 1)}s`, failed: 'ERROR', canceled: 'CANCELED'};
    return line(`#${step.number} ${words[event.status]}\n`);
  };
}

function cacheOf({from}: {readonly from?: string}): string {
  return from === undefined ? 'the cache' : `the cache ${from}`;
}
