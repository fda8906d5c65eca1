import type {Docker} from '../../src/client/docker.ts';
import type {Engine} from '../../src/engine/engine.ts';

export async function openTestEngine(_options: {
  readonly encode?: boolean;
}): Promise<{readonly docker: Docker; readonly engine: Engine; close(): Promise<void>}> {
  throw new Error('no engine yet');
}
