import {expect} from 'vitest';
import {eventually, makeHost, type TestHost} from './host.ts';
import {imageArchive} from './test-images.ts';
import {type LongCommand, startCommand} from './watching.ts';

/** A host whose engine is served to other tools, and has the image busybox. */
export async function makeServedHost(): Promise<{readonly host: TestHost; readonly served: LongCommand}> {
  const host = await makeHost();
  const served = await serveEngine(host);
  expect((await host.tscompose(['load', imageArchive('busybox')])).code).toBe(0);
  return {host, served};
}

export async function serveEngine(host: TestHost): Promise<LongCommand> {
  const served = startCommand(host, ['engine', 'serve']);
  await eventually(() => expect(served.stdout()).toContain('listening at'));
  return served;
}

/** It ends well, and nothing is left of it. */
export async function endServedHost({
  host,
  served,
}: {
  readonly host: TestHost;
  readonly served: LongCommand;
}): Promise<void> {
  expect(await served.interrupt()).toBe(0);
  const left = host.leftovers();
  await host[Symbol.asyncDispose]();
  expect(left).toEqual([]);
}
