import type {BuildEvent} from '../api/types/build.ts';
import {renderDiagnostic} from '../base/diagnostic.ts';
import type {BuildBounds} from './event.ts';
import {countTransfer, type TransferredLayers, totalsText, transferTotals} from './transfer-totals.ts';

export interface BuildLinesOptions {
  readonly write: (text: string) => void;
  /** Milliseconds. */
  readonly now: () => number;
  readonly color?: boolean | undefined;
  /** In front of what is told of it: the name of a build among others. A warning with a place in a file has none. */
  readonly prefix?: string;
}

interface Running {
  readonly number: number;
  readonly title: string;
  readonly since: number;
  /** What was written of a line that has not ended. */
  rest: string;
}

/** Tells a build line by line as BuildKit does: `#2 [1/3] FROM busybox`, `#2 0.12 output`, `#2 DONE 0.3s`. */
export function buildLines(options: BuildLinesOptions): (event: BuildEvent | BuildBounds) => void {
  const steps = new Map<number, Running>();
  const pulls = new Map<string, TransferredLayers>();
  const {prefix = ''} = options;
  const line = (text: string) => options.write(`${prefix}${text}\n`);
  const stepLine = stepLines(steps, options);
  return (event) => {
    switch (event.kind) {
      case 'warning':
        return options.write(
          `${event.warning.file === undefined ? prefix : ''}${renderDiagnostic(event.warning, {color: options.color ?? false})}\n`,
        );
      case 'note':
        return line(event.text);
      case 'pull':
        if (!pulls.has(event.reference)) line(`pulling ${event.reference}`);
        pulls.set(event.reference, countTransfer(pulls.get(event.reference) ?? {}, event.progress));
        return undefined;
      case 'pulled':
        return line(`pulled ${event.reference} ${totalsText(transferTotals(pulls.get(event.reference) ?? {}))}`.trim());
      case 'built':
        for (const name of event.names) line(`naming to ${name}`);
        return line(`built ${event.image}`);
      case 'exported':
        return line(`wrote ${event.path}`);
      case 'pushing':
        return line(event.status);
      case 'metadata':
      case 'held':
      case 'began':
      case 'ended':
        return undefined;
      default:
        return stepLine(event);
    }
  };
}

type StepEvent = Exclude<Extract<BuildEvent, {readonly step: number}>, {readonly kind: 'held'}>;

function stepLines(
  steps: Map<number, Running>,
  {write, now, prefix = ''}: BuildLinesOptions,
): (event: StepEvent) => void {
  const line = ({number}: Running, text: string) => write(`${prefix}#${number} ${text}\n`);
  const seconds = ({since}: Running, digits: number) => ((now() - since) / 1000).toFixed(digits);
  const output = (step: Running, text: string) => line(step, `${seconds(step, 3)} ${text}`);
  return (event) => {
    if (event.kind === 'step' && event.status === 'start') {
      const step = {number: steps.size + 1, title: event.title, since: now(), rest: ''};
      steps.set(event.step, step);
      return line(step, event.title);
    }
    const step = steps.get(event.step);
    if (step === undefined) return undefined;
    if (event.kind === 'output') {
      const parts = (step.rest + event.text).split(/\r?\n/);
      step.rest = parts.pop() ?? '';
      for (const part of parts) output(step, part);
      return undefined;
    }
    if (event.kind === 'explained') {
      const {explained} = event;
      if (explained.verdict === 'cached')
        return line(step, `from ${cacheOf(explained)}: nothing that it is made of changed`);
      for (const reason of explained.reasons) line(step, `not from the cache: ${reason}`);
      return undefined;
    }
    if (step.rest !== '') output(step, step.rest);
    step.rest = '';
    const words = {cached: 'CACHED', done: `DONE ${seconds(step, 1)}s`, failed: 'ERROR', canceled: 'CANCELED'};
    return line(step, `${words[event.status]}\n`);
  };
}

function cacheOf({from}: {readonly from?: string}): string {
  return from === undefined ? 'the cache' : `the cache ${from}`;
}
