import {join} from 'node:path';
import {engineTransport} from '../../../src/backend/builtin.ts';
import {Docker} from '../../../src/client/docker.ts';
import {createEngine} from '../../../src/engine/create-engine.ts';
import {createHelper} from '../../../src/engine/helper/coprocess.ts';
import {storedBlob} from '../../../src/engine/image/blob-source.ts';
import {unpackArchive} from '../../../src/engine/image/unpack-process.ts';
import {packageDirectory} from '../../support/user-packages.ts';

/** What the bench compares, both through the same client: the built-in engine in this process, and an engine behind a socket. */
export async function openBuiltin(options: {
  readonly root: string;
  readonly run: string;
  readonly cgroupParent: string;
  readonly helperPath: string;
}): Promise<Docker> {
  const engine = await createEngine({...options, version: '0.0.0', nodePath: process.execPath, now: () => Date.now()});
  return new Docker({transport: engineTransport(engine, {version: '0.0.0'})});
}

export function openSocket(socketPath: string): Docker {
  return new Docker({socketPath});
}

/** Debian's docker-registry. */
export function registryProgram(): string {
  return join(packageDirectory('registry'), 'usr/bin/docker-registry');
}

/** Unpacks layers as the store does, hashing their content. */
export function openUnpacker(helperPath: string): {
  unpack(path: string, destination: string): Promise<void>;
  close(): Promise<void>;
} {
  const helper = createHelper({helperPath});
  return {
    async unpack(path, destination) {
      const archive = storedBlob({digest: '', size: undefined, path});
      const request = {archive, compression: 'gzip', destination, lowers: []} as const;
      await unpackArchive(helper, request, new AbortController().signal);
    },
    close: () => helper.close(),
  };
}
