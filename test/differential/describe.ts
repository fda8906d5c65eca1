import type {ContainerInspect, ContainerSummary} from '../../src/api/types/container.ts';
import type {EngineEvent} from '../../src/api/types/system.ts';
import {linesOf} from './lines.ts';

/** Where an engine keeps what: told as a path, not as which. */
const ownPaths = [
  'ResolvConfPath',
  'HostnamePath',
  'HostsPath',
  'LogPath',
  'GraphDriver.Data.LowerDir',
  'GraphDriver.Data.MergedDir',
  'GraphDriver.Data.UpperDir',
  'GraphDriver.Data.WorkDir',
  'NetworkSettings.SandboxKey',
];

/** Sentences are each engine's own; what they say stands in other members too. */
export const ownWords = ['State.Error', 'Error.Message'];

export function inspectLines(inspected: ContainerInspect): string[] {
  return linesOf(inspected).map((line) => {
    const [path = '', value = ''] = line.split(/ (.*)/s);
    if (path === 'State.Pid') return `${path} ${value === '0' ? '0' : '<pid>'}`;
    if (path === 'Created' || path.startsWith('State.')) return portableTime(withoutWords(line));
    if (path === 'NetworkSettings.SandboxID' && value !== '""') return `${path} <id>`;
    if (path === 'Mounts') return portableSources(line);
    return ownPaths.includes(path) && value !== '""' ? `${path} <path>` : line;
  });
}

export function withoutWords(line: string): string {
  const [path = '', value = ''] = line.split(/ (.*)/s);
  return ownWords.includes(path) && value !== '""' ? `${path} <words>` : line;
}

/** Where in its directory an engine keeps a volume. */
function portableSources(line: string): string {
  return line.replace(/"Source":"[^"]*\/volumes\/([^"/]+)\/_?data"/g, '"Source":"<volume $1>"');
}

export function listLines(summary: ContainerSummary): string[] {
  return linesOf(summary).map((line) => {
    const [path = '', value = ''] = line.split(/ (.*)/s);
    if (path === 'Created') return 'Created <time>';
    if (path === 'Mounts') return portableSources(line);
    return path === 'Status' ? `Status ${portableDuration(value)}` : line;
  });
}

function portableDuration(text: string): string {
  return text.replace(/(?:Less than a|About an?|\d+) (?:second|minute|hour)s?/, '<while>');
}

export function portableTime(text: string): string {
  return text.replace(/(?!0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)/g, '<time>');
}

/** `container die <id> exitCode=0 …`. The label by which everything of a case is found is left out. */
export function eventLine({Type, Action, Actor, scope}: EngineEvent): string {
  const attributes = Object.entries(Actor.Attributes)
    .filter(([key]) => key !== 'io.tscompose.test')
    .map(([key, value]) => `${key}=${key === 'execDuration' ? '<seconds>' : value}`)
    .sort();
  return [Type, Action, Actor.ID, ...attributes, ...(scope === 'local' ? [] : [scope])].join(' ');
}
