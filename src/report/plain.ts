import {buildLines} from './build-plain.ts';
import {oneLine} from './cells.ts';
import type {ProgressContent, ProgressEvent} from './event.ts';
import {failureLines} from './evidence.ts';
import type {Output, Reporter} from './reporter.ts';
import {nodeStatus, nodeSubject} from './subject.ts';
import {shortTime} from './time.ts';
import {transferLines} from './transfer-plain.ts';
import {watchLines} from './watch-lines.ts';
import {wrapLine} from './wrap.ts';

/** How often a wait tells what it waits for, where that changes all the time. */
const waitEveryMs = 5_000;

export interface PlainOptions {
  readonly output: Output;
  readonly now: () => number;
  /** Of a terminal: longer lines of watching are broken between words. */
  readonly columns?: (() => number | undefined) | undefined;
  /** Of warnings about Dockerfiles. */
  readonly color?: boolean;
}

/** One line for each thing that was done, for pipes, files and CI. */
export function plainReporter(options: PlainOptions): Reporter {
  const waits = new Map<string, number>();
  const notDone = new Set<string>();
  const transfers = new Map<string, ReturnType<typeof transferLines>>();
  const builds = new Map<string, ReturnType<typeof buildLines>>();
  const report = (content: ProgressContent): void => {
    if (content.kind === 'build') {
      const {build, event} = content;
      const teller = builds.get(build) ?? buildTeller(build, options);
      builds.set(build, teller);
      if (event.kind === 'began') builds.set(build, buildTeller(build, options));
      else teller(event);
      return;
    }
    if (content.kind === 'transfer') {
      const teller = transfers.get(content.image) ?? transferLines((line) => void options.output.write(`${line}\n`));
      transfers.set(content.image, teller);
      teller(content.progress);
      return;
    }
    const event = {time: options.now(), ...content};
    if (event.kind === 'waiting') {
      const key = `${event.wait.service} ${event.wait.condition}`;
      const last = waits.get(key);
      if (last !== undefined && event.time - last < waitEveryMs) return;
      waits.set(key, event.time);
    }
    if (event.kind === 'nodeFailed' || event.kind === 'nodeSkipped') {
      const {kind, name} = nodeSubject(event.node);
      // A container whose creation failed is not started either: that says nothing new.
      if (event.kind === 'nodeSkipped' && notDone.has(`${kind} ${name}`)) return;
      notDone.add(`${kind} ${name}`);
    }
    const columns = isProse(event) ? options.columns?.() : undefined;
    for (const line of plainLines(event)) {
      const rows = columns === undefined ? [line] : wrapLine(line, columns);
      options.output.write(`${rows.join('\n')}\n`);
    }
  };
  let held: ProgressContent[] | undefined;
  return {
    report(content) {
      if (held === undefined) report(content);
      else held.push(content);
    },
    pause() {
      held ??= [];
      return () => {
        const late = held ?? [];
        held = undefined;
        for (const content of late) report(content);
      };
    },
    finish: () => undefined,
  };
}

/** Several builds at once are told apart by their names. */
function buildTeller(build: string, {output, now, color = false}: PlainOptions): ReturnType<typeof buildLines> {
  const prefix = build === '' ? '' : `${oneLine(build)} `;
  return buildLines({write: (text) => void output.write(text), now, color, prefix});
}

/** Lines of words that may be broken: not those that show a place in a file, a line below the other. */
function isProse(event: ProgressEvent): boolean {
  return event.kind.startsWith('watch') && !(event.kind === 'watchStack' && event.state === 'invalid');
}

/** What is told of an event; nothing of most. */
export function plainLines(event: ProgressEvent): readonly string[] {
  switch (event.kind) {
    case 'lockWait':
      return [`waiting for another command on project "${event.project}"`];
    case 'nodeDone': {
      const {kind, name} = nodeSubject(event.node);
      // That it stays is told already.
      return isStep(event) || event.kept === true
        ? []
        : [`${kind} ${name} ${nodeStatus(event.node).done} (${shortTime(event.tookMs)})`];
    }
    case 'nodeFailed': {
      const {kind, name} = nodeSubject(event.node);
      const [first = '', ...others] = failureLines(event.failure);
      return [`${kind} ${name} failed: ${first}`, ...others];
    }
    case 'nodeSkipped': {
      if (event.node.action.kind === 'awaitCondition') return [];
      const {kind, name} = nodeSubject(event.node);
      return [`${kind} ${name} skipped: ${oneLine(event.reason)}`];
    }
    case 'waiting':
      return [`waiting for service ${event.wait.service}: ${oneLine(event.detail)}`];
    case 'waitEnded':
      if (event.outcome === 'met') return [`service ${event.wait.service} is ${waitWords[event.wait.condition]}`];
      return event.failure === undefined ? [] : failureLines(event.failure);
    case 'notice':
      return [
        `${event.notice.level}: ${oneLine(event.notice.message)}`,
        ...(event.notice.hint === undefined ? [] : [`hint: ${event.notice.hint}`]),
      ];
    case 'build':
    case 'transfer':
    case 'planned':
    case 'nodeStarted':
    case 'nodeProgress':
    case 'summary':
      return [];
    default:
      return watchLines(event);
  }
}

const waitWords = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'done',
  running_or_healthy: 'ready',
} as const;

/** The temporary container of a recreate is told of once it has its name. */
function isStep({node: {action}}: ProgressEvent & {readonly kind: 'nodeDone'}): boolean {
  return action.kind === 'createContainer' && action.replaces !== undefined && /^[0-9a-f]{12}_/.test(action.name);
}
