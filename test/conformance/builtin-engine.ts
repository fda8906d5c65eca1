import {execFile} from 'node:child_process';
import {chmodSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {engineTransport} from '../../src/backend/builtin.ts';
import {Docker} from '../../src/client/docker.ts';
import {createEngine, type EngineOptions} from '../../src/engine/create-engine.ts';
import type {Engine} from '../../src/engine/engine.ts';
import {locateHelper} from '../../src/engine/helper/locate.ts';
import type {MachineFiles} from '../../src/engine/network/machine.ts';
import {makeHost, type TestHost} from '../support/host.ts';

export interface TestEngine {
  readonly docker: Docker;
  readonly engine: Engine;
  /** The machine that it is on. */
  readonly host: TestHost;
  /** Another process's engine on the same root. */
  another(): Promise<Engine>;
  close(): Promise<void>;
}

/** The built-in engine in this process, on a machine of its own: root, cgroups, and a network namespace for the helper. */
export async function openTestEngine(options: {
  readonly encode: boolean;
  readonly engine?: Partial<EngineOptions>;
}): Promise<TestEngine> {
  const host = await makeHost();
  const engine = await openEngine(host, Date.now, options.engine).catch(async (error: unknown) => {
    await host[Symbol.asyncDispose]();
    throw error;
  });
  const others: Engine[] = [];
  const docker = new Docker({transport: engineTransport(engine, {version: '0.0.0', encode: options.encode})});
  return {
    docker,
    engine,
    host,
    async another() {
      const other = await openEngine(host);
      others.push(other);
      return other;
    },
    close: async () => {
      for (const other of others) await other.close();
      await engine.close();
      const left = host.leftovers();
      await host[Symbol.asyncDispose]();
      if (left.length > 0) throw new Error(`left behind:\n${left.join('\n')}`);
    },
  };
}

/** The same over a host that the caller made. */
export async function openEngine(
  host: TestHost,
  now: () => number = Date.now,
  more: Partial<EngineOptions> = {},
): Promise<Engine> {
  return createEngine({
    root: host.root,
    run: host.run,
    cgroupParent: host.cgroupParent,
    helperPath: await helperInside(host),
    machineFiles: filesInside(host),
    version: '0.0.0',
    nodePath: process.execPath,
    now,
    ...more,
  });
}

/** Nothing in Node enters another network namespace, so its helper starts there. */
async function helperInside(host: TestHost): Promise<string> {
  const path = join(host.directory, 'helper');
  const helper = await locateHelper(process.env['TSCOMPOSE_HELPER']);
  writeFileSync(path, `#!/bin/sh\nexec nsenter --net=/run/netns/${host.namespace} -- ${helper} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

function filesInside(host: TestHost): MachineFiles {
  const inside = async (line: string, value = '') => {
    const words = [`--net=/run/netns/${host.namespace}`, '--', 'sh', '-c', line, 'sh', value];
    return (await promisify(execFile)('nsenter', words)).stdout;
  };
  return {
    readSetting: async (name) => (await inside(`cat /proc/sys/${name} 2>/dev/null || true`)).trim() || undefined,
    writeSetting: async (name, value) => void (await inside(`printf %s "$1" >/proc/sys/${name}`, value)),
    readResolvConf: async () => '',
  };
}
