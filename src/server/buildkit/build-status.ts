import {createHash} from 'node:crypto';
import type {BuildEvent} from '../../api/types/build.ts';
import type {MessageInput} from './messages.ts';

export type StatusUpdate = MessageInput<'StatusResponse'>;

/** Bytes of what one step prints that are told, as with BuildKit: they are held until the end of the build. */
const logMost = 2 * 1024 * 1024;
const clipped = Buffer.from('\n[output clipped, log limit 2MiB reached]\n');

/** What is told of a build as BuildKit tells it: a vertex for each step. */
export function createStatus(options: {
  readonly build: string;
  readonly now: () => number;
  readonly dockerfile: () => {readonly text: string; readonly shown: string};
}): (event: BuildEvent) => StatusUpdate | undefined {
  const steps = new Map<number, MessageInput<'Vertex'>>();
  const printed = new Map<number, number>();
  const digestOf = (name: string) => `sha256:${createHash('sha256').update(`${options.build}\n${name}`).digest('hex')}`;
  const time = () => timestamp(options.now());
  return (event) => {
    switch (event.kind) {
      case 'warning': {
        const {message, hint, line, code} = event.warning;
        const {text, shown} = options.dockerfile();
        const place = line === undefined ? [] : [{start: {line, character: 0}, end: {line, character: 0}}];
        return {
          warnings: [
            {
              ...{vertex: digestOf('dockerfile'), level: 1, short: Buffer.from(`${code}: ${message}`)},
              ...(hint === undefined ? {} : {detail: [Buffer.from(hint)]}),
              ...{info: {filename: shown, data: Buffer.from(text), language: 'Dockerfile'}, ranges: place},
            },
          ],
        };
      }
      case 'step': {
        if (event.status === 'start') {
          const vertex = {digest: digestOf(String(event.step)), name: event.title, started: time()};
          steps.set(event.step, vertex);
          return {vertexes: [vertex]};
        }
        const vertex = steps.get(event.step);
        if (vertex === undefined) return undefined;
        const error = {failed: 'the step failed', canceled: 'canceled', done: '', cached: ''}[event.status];
        return {vertexes: [{...vertex, cached: event.status === 'cached', completed: time(), error}]};
      }
      case 'output': {
        const vertex = steps.get(event.step)?.digest;
        const before = printed.get(event.step) ?? 0;
        if (vertex === undefined || before > logMost) return undefined;
        const text = Buffer.from(event.text);
        printed.set(event.step, before + text.length);
        const isOver = before + text.length > logMost;
        const msg = isOver ? Buffer.concat([text.subarray(0, logMost - before), clipped]) : text;
        return {logs: [{vertex, timestamp: time(), stream: event.stream === 'stdout' ? 1 : 2, msg}]};
      }
      case 'built': {
        const now = time();
        const name = ['exporting to image', ...event.names.map((one) => `naming to ${one}`)].join(', ');
        return {vertexes: [{digest: digestOf('export'), name, started: now, completed: now}]};
      }
      default:
        return undefined;
    }
  };
}

export function timestamp(milliseconds: number): MessageInput<'Timestamp'> {
  const seconds = Math.floor(milliseconds / 1000);
  return {seconds, nanos: Math.round((milliseconds - seconds * 1000) * 1e6)};
}
