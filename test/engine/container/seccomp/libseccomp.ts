import {spawnSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import type {Machine, SeccompProfile} from '../../../../src/engine/container/seccomp/profile.ts';

const native = resolve(import.meta.dirname, '../../../../native');
const target = 'build/program/libseccomp-oracle';

function oracle(): string {
  const path = join(native, target);
  if (!existsSync('/usr/include/seccomp.h')) {
    throw new Error(
      'libseccomp’s header is missing: install libseccomp-dev (Debian, Ubuntu) or libseccomp-devel (Fedora)',
    );
  }
  const {status, stdout, stderr} = spawnSync('make', ['-s', '-C', native, target], {encoding: 'utf8'});
  if (status !== 0) throw new Error(`make -C native ${target} failed:\n${stdout}${stderr}`);
  return path;
}

export interface Reference {
  readonly program: Uint8Array;
  /** Calls that this version of the library does not know. */
  readonly unknown: ReadonlySet<string>;
}

/** What libseccomp makes of the rules that apply. */
export function compileWithLibseccomp(
  profile: SeccompProfile,
  machine: Machine,
  capabilities: readonly string[],
): Reference {
  const lines = machine === 'x64' ? ['arch x86_64', 'arch x86', 'arch x32'] : ['arch aarch64', 'arch arm'];
  for (const rule of profile.rules) {
    if (rule.machines !== undefined && !rule.machines.includes(machine)) continue;
    if (rule.with?.some((name) => !capabilities.includes(name))) continue;
    if (rule.without?.some((name) => capabilities.includes(name))) continue;
    const action = rule.action.kind === 'error' ? `error ${rule.action.errno}` : rule.action.kind;
    const conditions = (rule.when ?? []).map(
      ({argument, operator, value, mask}) => ` ${argument} ${operator} ${value} ${mask ?? 2n ** 64n - 1n}`,
    );
    for (const call of rule.calls.split(/\s+/)) lines.push(`${action} ${call}${conditions.join('')}`);
  }
  const {status, stdout, stderr} = spawnSync(oracle(), {input: `${lines.join('\n')}\n`, maxBuffer: 1 << 22});
  if (status !== 0) throw new Error(String(stderr));
  return {
    program: stdout,
    unknown: new Set(
      String(stderr)
        .split('\n')
        .filter((name) => name !== ''),
    ),
  };
}
