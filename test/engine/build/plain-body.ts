import type {BuildBody, BuildEvent} from '../../../src/api/types/build.ts';
import type {Engine} from '../../../src/engine/engine.ts';

/** What is asked for by a Dockerfile alone. */
export function plainBody(text: string, more: Partial<BuildBody> = {}): BuildBody {
  return {
    dockerfile: {text, shown: 'Dockerfile'},
    noCache: false,
    network: 'default',
    ...{
      arguments: {},
      labels: {},
      contexts: {},
      tags: [],
      extraHosts: [],
      secrets: [],
      agents: [],
      ulimits: [],
      allow: [],
    },
    ...more,
  };
}

/** Runs a build to its end. */
export async function eventsOf(engine: Engine, body: BuildBody, signal?: AbortSignal): Promise<readonly BuildEvent[]> {
  const events: BuildEvent[] = [];
  for await (const event of engine.builds.build(body, signal)) events.push(event);
  return events;
}
