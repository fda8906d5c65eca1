import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect} from 'vitest';
import {stringify} from 'yaml';
import type {ContainerInspect} from '../../../src/api/types/container.ts';
import type {TestHost} from '../../support/host.ts';
import {inspectOnHost} from '../parity/inspect.ts';

/** A stack that runs, to be asked what its containers are like. */
export interface RunningStack {
  readonly host: TestHost;
  /** What a shell in the service's container prints. */
  readonly print: (service: string, line: string) => Promise<string>;
  readonly inspect: (container: string) => Promise<ContainerInspect>;
}

/** Lays files out in the host's directory, the stack file among them. */
export function layOut(host: TestHost, stack: object, files: Readonly<Record<string, string>> = {}): void {
  const texts = {...files, 'compose.yaml': stringify({name: 'attributes', ...stack})};
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(host.directory, name)), {recursive: true});
    writeFileSync(join(host.directory, name), text);
  }
}

export function runningOn(host: TestHost): RunningStack {
  return {
    host,
    print: async (service, line) => {
      const {code, stdout, stderr} = await host.tscompose(['exec', '-T', service, 'sh', '-c', line]);
      expect({code, stderr}).toEqual({code: 0, stderr: ''});
      return stdout.trimEnd();
    },
    inspect: async (container) => (await inspectOnHost(host, container)) as ContainerInspect,
  };
}
