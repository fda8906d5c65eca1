import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {resolve} from 'node:path';

const project = resolve(import.meta.dirname, '../..');

/** Tests read the compiled validators and drive the real helper: both are made first, whoever runs vitest. */
export function setup(): void {
  if (!existsSync(resolve(project, 'native/build/tscompose-helper'))) step('make', ['-s', '-C', 'native']);
  step(process.execPath, ['scripts/generate-validators.mjs']);
}

function step(command: string, args: readonly string[]): void {
  const result = spawnSync(command, args, {cwd: project, encoding: 'utf8'});
  if (result.status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed:\n${result.stdout}${result.stderr}${result.error ?? ''}`);
}
