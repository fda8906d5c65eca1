import {matchesLabels} from '../api/filters.ts';
import type {EngineEvent, Filters} from '../api/types/system.ts';
import {TscomposeError} from '../base/errors.ts';

type Match = (event: EngineEvent, value: string) => boolean;

/** An event's own kind of object, by id, id prefix or name. */
function actor(type: EngineEvent['Type']): Match {
  return ({Type, Actor}, value) =>
    Type === type &&
    (Actor.ID === value || Actor.Attributes['name'] === value || (value.length >= 4 && Actor.ID.startsWith(value)));
}

/** Values of one key are alternatives; of `label` all must hold, as in Docker. */
const matches: Readonly<Record<string, Match>> = {
  type: ({Type}, value) => Type === value,
  // `health_status` matches `health_status: healthy`, `exec_start` matches `exec_start: sh`.
  event: ({Action}, value) => Action === value || Action.startsWith(`${value}:`),
  container: actor('container'),
  network: actor('network'),
  volume: actor('volume'),
  image: ({Type, Actor}, value) =>
    Type === 'image' ? actor('image')({Type, Actor} as EngineEvent, value) : Actor.Attributes['image'] === value,
  scope: ({scope}, value) => scope === value,
  daemon: ({Type}) => Type === 'daemon',
};

/** Throws `invalid` for a filter that does not exist. */
export function matchEvent(event: EngineEvent, filters: Filters): boolean {
  return Object.entries(filters).every(([key, values]) => {
    if (key === 'label') return matchesLabels(event.Actor.Attributes, values);
    const match = Object.hasOwn(matches, key) ? matches[key] : undefined;
    if (!match) throw new TscomposeError('invalid', `invalid filter '${key}'`);
    return values.length === 0 || values.some((value) => match(event, value));
  });
}
