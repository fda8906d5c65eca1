import type {EngineEvent} from '../../src/api/types/system.ts';

/**
 * What a process does is told by who watches it, the rest by who answers a request: in which order is not promised. Here an
 * end comes before the stop or restart that it belongs to, a start before its restart, a command's end right after its
 * start, and neighbours of one kind are sorted.
 */
export function inPromisedOrder(events: readonly EngineEvent[]): readonly EngineEvent[] {
  const ordered: EngineEvent[] = [];
  for (const event of events) {
    // How often the kernel finds that there is no memory before somebody has died is its own affair.
    const isRepeated =
      event.Action === 'oom' && ordered.some(({Action, Actor}) => Action === 'oom' && Actor.ID === event.Actor.ID);
    if (!isRepeated) ordered.splice(placeOf(event, ordered), 0, event);
  }
  return sortNeighbours(ordered);
}

/** Which of several networks or volumes comes first is chance: those that come one after the other are told by name. */
function sortNeighbours(events: readonly EngineEvent[]): readonly EngineEvent[] {
  const groups: EngineEvent[][] = [];
  for (const event of events) {
    const last = groups.at(-1)?.[0];
    const isSame =
      last?.Action === event.Action && last.Type === event.Type && containerOf(last) === containerOf(event);
    if (isSame && isMembership(event)) groups.at(-1)?.push(event);
    else groups.push([event]);
  }
  const nameOf = ({Actor}: EngineEvent): string => Actor.Attributes['name'] ?? Actor.ID;
  return groups.flatMap((group) => group.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)));
}

function placeOf(event: EngineEvent, before: readonly EngineEvent[]): number {
  if (event.Action === 'exec_die') {
    const start = before.findLastIndex(
      ({Action, Actor}) =>
        Action.startsWith('exec_start') && Actor.Attributes['execID'] === event.Actor.Attributes['execID'],
    );
    return start < 0 ? before.length : start + 1;
  }
  const id = containerOf(event);
  if (isOfStart(event)) {
    const indexOf = (action: string): number =>
      before.findLastIndex(({Type, Action, Actor}) => Type === 'container' && Action === action && Actor.ID === id);
    const [answer, ended] = [indexOf('restart'), indexOf('die')];
    return answer > ended && indexOf('start') <= ended ? answer : before.length;
  }
  if (!isOfEnd(event)) return before.length;
  const last = before.findLastIndex((one) => containerOf(one) === id && !isAnswer(one) && !isMembership(one));
  const answer = before.findIndex((one, index) => index > last && containerOf(one) === id && isAnswer(one));
  return answer < 0 ? before.length : answer;
}

function containerOf({Actor}: EngineEvent): string | undefined {
  return Actor.Attributes['container'] ?? Actor.ID;
}

/** Also what it had until then is given up. */
function isOfEnd({Type, Action}: EngineEvent): boolean {
  return (
    (Type === 'container' && Action === 'die') ||
    (Type === 'network' && Action === 'disconnect') ||
    (Type === 'volume' && Action === 'unmount')
  );
}

/** Also what it has from then on is given. */
function isOfStart({Type, Action}: EngineEvent): boolean {
  return (
    (Type === 'container' && Action === 'start') ||
    (Type === 'network' && Action === 'connect') ||
    (Type === 'volume' && Action === 'mount')
  );
}

function isAnswer({Type, Action}: EngineEvent): boolean {
  return Type === 'container' && ['stop', 'restart'].includes(Action);
}

function isMembership({Type}: EngineEvent): boolean {
  return Type === 'network' || Type === 'volume';
}
