import type {HostConfig} from '../../api/types/container.ts';
import {allCapabilities, type CapabilityName, resolveCapabilities} from './capabilities.ts';
import {maskedPaths, readonlyPaths} from './default-mounts.ts';
import type {SeccompProfile} from './seccomp/profile.ts';
import {parseSecurityOptions} from './security-options.ts';

/** What a container may do beyond what any may, and what of the usual is kept from it. */
export interface Privileges {
  readonly capabilities: readonly CapabilityName[];
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'builtin' | 'unconfined' | SeccompProfile;
  /** The AppArmor profile that its programs run under; undefined: that of the engine. */
  readonly appArmor: string | undefined;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly writableSys: boolean;
  readonly writableCgroups: boolean;
}

/**
 * A privileged container is confined by nothing that it does not ask for itself: capabilities that it drops are kept as in
 * Docker, a filter or masks of its own hold. Throws `invalid` or `unsupported`.
 */
export function resolvePrivileges(host: HostConfig): Privileges {
  const privileged = host.Privileged ?? false;
  const options = parseSecurityOptions(host.SecurityOpt ?? []);
  const asked = resolveCapabilities(host.CapAdd ?? [], host.CapDrop ?? []);
  return {
    capabilities: privileged ? allCapabilities : asked,
    noNewPrivileges: options.noNewPrivileges,
    seccomp: options.seccomp ?? (privileged ? 'unconfined' : 'builtin'),
    appArmor: options.appArmor,
    maskedPaths: host.MaskedPaths ?? (privileged ? [] : maskedPaths),
    readonlyPaths: host.ReadonlyPaths ?? (privileged ? [] : readonlyPaths),
    writableSys: privileged,
    writableCgroups: options.writableCgroups ?? privileged,
  };
}
