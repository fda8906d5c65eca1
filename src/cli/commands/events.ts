import {composeLabels, isOneOff} from '../../api/labels.ts';
import type {EngineEvent} from '../../api/types/system.ts';
import {cut, oneLine} from '../../report/cells.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {shortName} from '../follow-logs.ts';
import {interrupted} from '../interrupted.ts';
import {jsonText} from '../json-text.ts';
import {listProjectContainers} from '../project-containers.ts';
import {withStackNames} from '../session.ts';
import {terminalColumns} from '../terminal-columns.ts';
import {parseTime} from '../time.ts';

export function runEvents(context: CliContext, {args, flags}: Input<'events'>): Promise<number> {
  const since = flags.since === undefined ? undefined : parseTime(flags.since, context.now());
  const until = flags.until === undefined ? undefined : parseTime(flags.until, context.now());
  return withStackNames(context, async ({name, docker, knownServices}) => {
    // Names a service that nobody knows, rather than waiting for its events for ever.
    if (args.length > 0) {
      await listProjectContainers(docker, {project: name, services: args, all: true, known: knownServices});
    }
    const abort = new AbortController();
    using _interrupt = context.onInterrupt(() => abort.abort());
    try {
      const events = await docker.getEvents({
        since,
        until,
        filters: {type: ['container'], label: [`${composeLabels.project}=${name}`]},
        abortSignal: abort.signal,
      });
      for await (const event of events) {
        if (isWanted(event, args))
          context.stdout.write(`${render(context, event, {project: name, json: flags.json})}\n`);
      }
    } catch (error) {
      if (!abort.signal.aborted) throw error;
    }
    return abort.signal.aborted ? interrupted(context) : 0;
  });
}

function isWanted({Actor}: EngineEvent, services: readonly string[]): boolean {
  const {[composeLabels.service]: service = ''} = Actor.Attributes;
  return !isOneOff(Actor.Attributes) && (services.length === 0 || services.includes(service));
}

interface Rendering {
  readonly project: string;
  readonly json: boolean;
}

function render(context: CliContext, event: EngineEvent, {project, json}: Rendering): string {
  if (json) return jsonLine(event);
  const columns = terminalColumns(context);
  return columns === undefined ? plainLine(event) : cut(shortLine(event, project, context.now()), columns);
}

/** The object that `docker compose events --json` prints. */
function jsonLine(event: EngineEvent): string {
  const {Action, Actor, Type} = event;
  return jsonText({
    action: Action,
    attributes: attributesOf(event),
    id: Actor.ID,
    service: Actor.Attributes[composeLabels.service] ?? '',
    time: `${new Date(event.time * 1000).toISOString().slice(0, -5)}.${microseconds(event)}Z`,
    type: Type,
  });
}

/** As Docker Compose prints it, its attributes in order, in local time. */
function plainLine(event: EngineEvent): string {
  const attributes = Object.entries(attributesOf(event)).map(([key, value]) => `${key}=${oneLine(value)}`);
  const {date, time} = localTime(event);
  return `${date} ${time}.${microseconds(event)} ${event.Type} ${oneLine(event.Action)} ${event.Actor.ID} (${attributes.join(', ')})`;
}

/** For a person: when, which container, what; `21:19:31.704  web-2  die (exit code 137)`. Its id and labels can be looked up. */
function shortLine(event: EngineEvent, project: string, now: number): string {
  const {date, time} = localTime(event);
  const {name = event.Actor.ID} = event.Actor.Attributes;
  const isToday = date === localTime({time: Math.floor(now / 1000)}).date;
  const when = `${isToday ? '' : `${date} `}${time}.${microseconds(event).slice(0, 3)}`;
  return `${when}  ${shortName(name, project)}  ${oneLine(event.Action)}${detailOf(event)}`;
}

/** Attributes that belong to the event, not to the container. */
const details: Readonly<Record<string, string>> = {
  exitCode: 'exit code',
  signal: 'signal',
  oldName: 'before',
};

function detailOf({Actor}: EngineEvent): string {
  const told = Object.entries(details).flatMap(([key, words]) => {
    const value = Actor.Attributes[key];
    return value === undefined ? [] : [`${words} ${oneLine(value).replace(/^\//, '')}`];
  });
  return told.length === 0 ? '' : ` (${told.join(', ')})`;
}

/** Without what Compose and we keep on each container. */
function attributesOf({Actor}: EngineEvent): Readonly<Record<string, string>> {
  const own = ([key]: readonly [string, string]) => !/^(com\.docker\.compose|io\.tscompose)\./.test(key);
  return Object.fromEntries(
    Object.entries(Actor.Attributes)
      .filter(own)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function localTime({time}: Pick<EngineEvent, 'time'>): {readonly date: string; readonly time: string} {
  const at = new Date(time * 1000);
  const two = (number: number) => String(number).padStart(2, '0');
  return {
    date: `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
  };
}

/** Six digits. A number of JavaScript does not hold a time in nanoseconds exactly: some are a little below theirs. */
function microseconds({time, timeNano}: EngineEvent): string {
  const digits = Math.round(timeNano / 1000) - time * 1_000_000;
  return String(Math.min(Math.max(digits, 0), 999_999)).padStart(6, '0');
}
