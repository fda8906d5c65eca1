/**
 * A program for change.ci.test.ts to kill: takes a container on to a network and off it again for ever, as commands would.
 * Arguments: root, run directory, cgroup parent, container, network.
 */
import {programEngine} from '../../support/program-engine.ts';

const [, , root, run, cgroupParent, Container = '', network = ''] = process.argv;
const engine = await programEngine(root, run, cgroupParent);
for (let round = 0; ; round += 1) {
  // What a process does once is behind it.
  if (round === 2) process.stdout.write('ready\n');
  const {NetworkSettings} = await engine.containers.inspect(Container);
  if (network in NetworkSettings.Networks) await engine.networks.disconnect(network, {Container});
  else await engine.networks.connect(network, {Container, EndpointConfig: {GwPriority: 1}});
}
