import {posix} from 'node:path';
import type {ContainerConfig, HealthConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';

/**
 * What a container runs with: the create body above, the image's configuration below, by Docker's rules (moby
 * daemon/commit.go `merge`). Throws `invalid` when neither says what to run.
 */
export function mergeImageConfig(body: ContainerConfig, image: ContainerConfig): ContainerConfig {
  const merged: ContainerConfig = {
    ...body,
    ...pick('User', body.User || image.User),
    ...pick('WorkingDir', body.WorkingDir ? cleanPath(body.WorkingDir) : image.WorkingDir),
    ...pick('StopSignal', body.StopSignal || image.StopSignal),
    ...pick('ExposedPorts', mergeMembers(body.ExposedPorts, image.ExposedPorts)),
    ...pick('Volumes', mergeMembers(body.Volumes, image.Volumes)),
    ...(body.Env || image.Env ? {Env: mergeEnvironment(body.Env ?? [], image.Env ?? [])} : {}),
    Labels: {...image.Labels, ...body.Labels},
    ...mergeCommand(body, image),
    ...pick('Healthcheck', mergeHealthcheck(body.Healthcheck, image.Healthcheck)),
  };
  if ((merged.Entrypoint ?? []).length === 0 && (merged.Cmd ?? []).length === 0) {
    throw new TscomposeError('invalid', 'no command specified', {
      hint: 'the image states none: give the container a command',
    });
  }
  return merged;
}

function pick<K extends string, V>(key: K, value: V | undefined): {readonly [P in K]?: V} {
  return value === undefined || value === '' ? {} : ({[key]: value} as {readonly [P in K]: V});
}

/** Neither says anything: nothing is said. */
function mergeMembers<V>(
  body: Readonly<Record<string, V>> | null | undefined,
  image: Readonly<Record<string, V>> | null | undefined,
): Readonly<Record<string, V>> | undefined {
  return body || image ? {...image, ...body} : undefined;
}

/** As Docker keeps it: without dots, doubled slashes and a slash at its end. */
function cleanPath(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, '');
}

/** The body's variables stay in front; `KEY` without a value takes the image's away. */
function mergeEnvironment(body: readonly string[], image: readonly string[]): readonly string[] {
  const given = new Set(body.map(environmentKey));
  return [...body, ...image.filter((entry) => !given.has(environmentKey(entry)))];
}

export function environmentKey(entry: string): string {
  return entry.split('=', 1)[0] ?? entry;
}

/** An entrypoint of the body puts the image's command aside; `[""]` is an entrypoint of nothing. */
function mergeCommand(body: ContainerConfig, image: ContainerConfig): Pick<ContainerConfig, 'Entrypoint' | 'Cmd'> {
  const given = body.Entrypoint ?? null;
  if (given !== null && given.length > 0) {
    const entrypoint = given.length === 1 && given[0] === '' ? null : given;
    return {Entrypoint: entrypoint, Cmd: body.Cmd ?? null};
  }
  const command = (body.Cmd ?? []).length === 0 ? (image.Cmd ?? null) : (body.Cmd ?? null);
  return {Entrypoint: given ?? image.Entrypoint ?? null, Cmd: command};
}

/** Member by member, when the body has any. */
function mergeHealthcheck(body: HealthConfig | undefined, image: HealthConfig | undefined): HealthConfig | undefined {
  if (!image) return body;
  if (!body) return image;
  return {
    Test: (body.Test ?? []).length > 0 ? (body.Test ?? []) : (image.Test ?? []),
    ...pick('Interval', body.Interval || image.Interval || undefined),
    ...pick('Timeout', body.Timeout || image.Timeout || undefined),
    ...pick('StartPeriod', body.StartPeriod || image.StartPeriod || undefined),
    ...pick('StartInterval', body.StartInterval || image.StartInterval || undefined),
    ...pick('Retries', body.Retries || image.Retries || undefined),
  };
}

/** The process's variables: the defaults below, the configuration's above; `KEY` alone unsets. `HOME` is the helper's. */
export function processEnvironment(config: ContainerConfig, hostname: string): readonly string[] {
  const variables = new Map([
    ['PATH', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOSTNAME', `HOSTNAME=${hostname}`],
  ]);
  if (config.Tty) variables.set('TERM', 'TERM=xterm');
  for (const entry of config.Env ?? []) {
    const key = environmentKey(entry);
    if (key === entry) variables.delete(key);
    else variables.set(key, entry);
  }
  return [...variables.values()];
}
