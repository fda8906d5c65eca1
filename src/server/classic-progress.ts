import type {BuildEvent, BuildProgress} from '../api/types/build.ts';

/** What is told of a build in the words of Docker's own builder, which its clients print as they come. */
export async function* classicProgress(
  events: AsyncIterable<BuildEvent>,
  {quiet, inSession = false}: {readonly quiet: boolean; readonly inSession?: boolean},
): AsyncGenerator<BuildProgress> {
  for await (const event of events) {
    const text = quiet ? '' : textOf(event);
    if (text !== '') yield {stream: text};
    if (event.kind !== 'built') continue;
    // Who asks for BuildKit looks for the image by this mark, and has no other word of it.
    if (inSession) yield {id: 'moby.image.id', aux: {ID: event.image}};
    else if (quiet) yield {stream: `${event.image}\n`};
    else yield {aux: {ID: event.image}};
    if (quiet) continue;
    yield {stream: `Successfully built ${event.image.slice('sha256:'.length, 'sha256:'.length + 12)}\n`};
    for (const name of event.names) yield {stream: `Successfully tagged ${name}\n`};
  }
}

function textOf(event: BuildEvent): string {
  switch (event.kind) {
    case 'warning':
      return `[Warning] ${event.warning.message}\n`;
    case 'note':
      return `${event.text}\n`;
    case 'step':
      if (event.status === 'start') return `Step ${event.title}\n`;
      return event.status === 'cached' ? ' ---> Using cache\n' : '';
    case 'output':
      return event.text;
    default:
      return '';
  }
}
