import {expect} from 'vitest';
import {eventually, type TestHost} from './host.ts';
import {type LongCommand, startCommand} from './watching.ts';

/** `tscompose registry serve` on a test host, once it listens. */
export async function serveRegistry(
  host: TestHost,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<LongCommand> {
  const command = startCommand(host, ['registry', 'serve', ...args], {env});
  await eventually(() => {
    if (!command.stdout().includes('listening at ')) throw new Error(`it does not listen: ${command.stderr()}`);
  });
  return command;
}

/** Ends it as a service is ended. */
export async function endRegistry(command: LongCommand): Promise<void> {
  process.kill(command.pid, 'SIGTERM');
  expect(await command.exited).toBe(0);
}
