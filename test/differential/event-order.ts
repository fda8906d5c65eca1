import type {EngineEvent} from '../../src/api/types/system.ts';

/**
 * The end of a process is told by who watches it, the rest by who answers a request: in which order is not promised. Here an
 * end comes before the stop or restart that it belongs to, and a command's right after its start.
 */
export function inPromisedOrder(events: readonly EngineEvent[]): readonly EngineEvent[] {
  const ordered: EngineEvent[] = [];
  for (const event of events) ordered.splice(placeOf(event, ordered), 0, event);
  return ordered;
}

function placeOf(event: EngineEvent, before: readonly EngineEvent[]): number {
  if (event.Action === 'exec_die') {
    const start = before.findLastIndex(
      ({Action, Actor}) =>
        Action.startsWith('exec_start') && Actor.Attributes['execID'] === event.Actor.Attributes['execID'],
    );
    return start < 0 ? before.length : start + 1;
  }
  if (event.Action !== 'die') return before.length;
  const {ID: id} = event.Actor;
  const last = before.findLastIndex((one) => !isAnswer(one, id) && !isOfNetwork(one, id));
  const answer = before.findIndex((one, index) => index > last && isAnswer(one, id));
  return answer < 0 ? before.length : answer;
}

function isAnswer({Action, Actor}: EngineEvent, id: string): boolean {
  return Actor.ID === id && ['stop', 'restart'].includes(Action);
}

function isOfNetwork({Type, Actor}: EngineEvent, id: string): boolean {
  return Type === 'network' && Actor.Attributes['container'] === id;
}
