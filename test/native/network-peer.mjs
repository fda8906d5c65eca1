import {runInThisContext} from 'node:vm';

// A process inside a network namespace that runs functions sent to it: `{id, source, args}` → `{id, result}` or `{id, error}`.
// What they keep between calls is in `globalThis`.
process.on('message', async ({id, source, args}) => {
  try {
    const result = await runInThisContext(`(${source})`)(...args);
    process.send({id, result});
  } catch (error) {
    process.send({id, error: String(error?.stack ?? error)});
  }
});
process.on('disconnect', () => process.exit());
