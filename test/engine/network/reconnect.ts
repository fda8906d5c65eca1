/**
 * A program for change.ci.test.ts to kill: takes a container on to a network and off it again for ever, as commands would.
 * Arguments: root, run directory, cgroup parent, container, network.
 */
import {createEngine} from '../../../src/engine/create-engine.ts';

const [, , root, run, cgroupParent, Container = '', network = ''] = process.argv;
const engine = await createEngine({
  root,
  run,
  cgroupParent,
  helperPath: process.env['TSCOMPOSE_HELPER'],
  version: '0',
  nodePath: process.execPath,
  now: Date.now,
});
for (let round = 0; ; round += 1) {
  // What a process does once is behind it.
  if (round === 2) process.stdout.write('ready\n');
  const {NetworkSettings} = await engine.containers.inspect(Container);
  if (network in NetworkSettings.Networks) await engine.networks.disconnect(network, {Container});
  else await engine.networks.connect(network, {Container, EndpointConfig: {GwPriority: 1}});
}
