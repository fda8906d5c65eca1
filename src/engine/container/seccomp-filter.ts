import {TscomposeError} from '../../base/errors.ts';
import type {CapabilityName} from './capabilities.ts';
import type {Machine} from './machine.ts';
import {compileSeccomp} from './seccomp/compile.ts';
import {defaultSeccompProfile} from './seccomp/default-profile.ts';
import type {SeccompProfile} from './seccomp/profile.ts';

export interface SeccompFilter {
  readonly program: Uint8Array;
  /** SECCOMP_FILTER_FLAG_*. */
  readonly flags: number;
}

/** The system call filter of a container, none when it is unconfined. Throws `unsupported` on a machine without a table of calls. */
export function compileFilter(
  asked: 'builtin' | 'unconfined' | SeccompProfile,
  {kernel}: Machine,
  capabilities: readonly CapabilityName[],
): SeccompFilter | undefined {
  if (asked === 'unconfined') return undefined;
  const {arch} = process;
  if (arch !== 'x64' && arch !== 'arm64') {
    throw new TscomposeError('unsupported', `there is no system call filter for machines of type ${arch}`);
  }
  const profile = asked === 'builtin' ? defaultSeccompProfile : asked;
  return {
    program: compileSeccomp(profile, {architecture: arch, capabilities, kernel}),
    flags: profile.flags ?? 0,
  };
}
