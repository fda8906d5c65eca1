import {spawnSync} from 'node:child_process';

/** What a program says on both. */
export function outputOf([program = '', ...args]: readonly string[]): string {
  const {stdout, stderr} = spawnSync(program, args, {encoding: 'utf8'});
  return stdout + stderr;
}
