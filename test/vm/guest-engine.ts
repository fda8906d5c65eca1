import type {HostConfig} from '../../src/api/types/container.ts';
import {createEngine} from '../../src/engine/create-engine.ts';

/** An engine of root with directories and cgroups of its own; the first argument of the program is the helper's path. */
export function guestEngine(name: string) {
  const [helperPath = ''] = process.argv.slice(2);
  return createEngine({
    root: `/var/lib/${name}`,
    run: `/run/${name}`,
    cgroupParent: name,
    helperPath,
    version: '0.0.0',
    nodePath: process.execPath,
    now: Date.now,
  });
}

type Engine = Awaited<ReturnType<typeof guestEngine>>;

/** Makes a container of the machine's own programs that has no network, and answers its id. */
export async function createAlone({containers}: Engine, Cmd: readonly string[], host: HostConfig): Promise<string> {
  const HostConfig = {NetworkMode: 'none', ...host};
  return (await containers.create({Image: 'tscompose/host', Cmd, HostConfig}, {})).Id;
}
