/**
 * A program for recovery.test.ts to kill: makes, starts, stops and removes one container for ever, as commands would.
 * Arguments: root, run directory, cgroup parent.
 */
import {programEngine} from '../../support/program-engine.ts';

const [, , root, run, cgroupParent] = process.argv;
const engine = await programEngine(root, run, cgroupParent);
process.stdout.write('ready\n');
for (;;) {
  for (const {Id} of await engine.containers.list({all: true}))
    await engine.containers.remove(Id, {force: true, volumes: true});
  const {Id} = await engine.containers.create(
    {
      Image: 'busybox',
      Cmd: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'],
      Volumes: {'/anonymous': {}},
      HostConfig: {
        NetworkMode: 'none',
        Binds: ['named:/data'],
        TscomposeFiles: [{Target: '/secret', Content: 'c2VjcmV0', Uid: 0, Gid: 0, Mode: 0o400}],
      },
    },
    {name: 'churned'},
  );
  await engine.containers.start(Id);
  await engine.containers.inspect(Id);
  await engine.containers.stop(Id);
}
