import {TscomposeError} from '../../base/errors.ts';
import type {CapabilityName} from './capabilities.ts';
import {compileSeccomp} from './seccomp/compile.ts';
import {defaultSeccompProfile} from './seccomp/default-profile.ts';

/** The system call filter of a container, none when it is unconfined. Throws `unsupported` on a machine without a table of calls. */
export function compileFilter(
  profile: 'default' | 'unconfined',
  capabilities: readonly CapabilityName[],
): Uint8Array | undefined {
  if (profile === 'unconfined') return undefined;
  const {arch} = process;
  if (arch !== 'x64' && arch !== 'arm64') {
    throw new TscomposeError('unsupported', `there is no system call filter for machines of type ${arch}`);
  }
  return compileSeccomp(defaultSeccompProfile, {architecture: arch, capabilities});
}
