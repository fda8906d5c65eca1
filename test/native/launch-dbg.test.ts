import {execFileSync} from 'node:child_process';
import {test} from 'vitest';
import {openLaunchMachine, runToEnd} from '/work/main/test/native/launch-machine.ts';

test('x', async () => {
  const m = await openLaunchMachine();
  try {
    const c = m.container({
      words: ['sh', '-c', 'echo hello; sleep 100'],
      monitor: [{kind: 'dns', address: '127.0.0.1:53'}],
    });
    const {monitor} = await c.launch();
    await new Promise((r) => setTimeout(r, 2500));
    console.log(
      execFileSync('sh', [
        '-c',
        `for p in ${monitor} $(cat /proc/${monitor}/task/${monitor}/children); do echo "== $p $(cat /proc/$p/comm)"; grep -E "^(Rss|Pss|Private_Dirty|Shared)" /proc/$p/smaps_rollup; awk '/^[0-9a-f]+-/{n=$0} /^Rss/{r=$2} /^Pss:/{p=$2} /^Private_Dirty/{print r, p, $2, n}' /proc/$p/smaps; done`,
      ]).toString(),
    );
  } finally {
    await m.close();
  }
});
