import {engineTransport} from '../../../src/backend/builtin.ts';
import {Docker} from '../../../src/client/docker.ts';
import {createEngine} from '../../../src/engine/create-engine.ts';
import {locateHelper} from '../../../src/engine/helper/locate.ts';
import type {TestHost} from '../../support/host.ts';

/** What an engine on the host answers to inspect, as it goes over the wire. */
export async function inspectOnHost(host: TestHost, container: string): Promise<unknown> {
  const engine = await createEngine({
    root: host.root,
    run: host.run,
    cgroupParent: host.cgroupParent,
    helperPath: await locateHelper(process.env['TSCOMPOSE_HELPER']),
    version: '0.0.0',
    nodePath: process.execPath,
    now: () => Date.now(),
  });
  try {
    const docker = new Docker({transport: engineTransport(engine, {version: '0.0.0', encode: true})});
    return await docker.getContainer(container).inspect();
  } finally {
    await engine.close();
  }
}
