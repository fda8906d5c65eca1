import {existsSync, readFileSync} from 'node:fs';
import type {HostConfig} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {parseSecurityOptions} from './security-options.ts';

/** Which of the modules that confine programs by name the running kernel uses. */
export interface SecurityModules {
  readonly apparmor: boolean;
  readonly selinux: boolean;
}

/** Both are settled when the machine is booted. */
export function readSecurityModules(): SecurityModules {
  const apparmor = '/sys/module/apparmor/parameters/enabled';
  return {
    apparmor: existsSync(apparmor) && readFileSync(apparmor, 'utf8').startsWith('Y'),
    selinux: existsSync('/sys/fs/selinux/enforce'),
  };
}

/**
 * A profile holds where the kernel has AppArmor. Labels say nothing on a kernel without SELinux, as in Docker; where it has
 * it, no container gets one. Throws `unsupported`.
 */
export function checkSecurityModules(modules: SecurityModules, host: HostConfig): void {
  const {appArmor, label} = parseSecurityOptions(host.SecurityOpt ?? []);
  if (appArmor !== undefined && !modules.apparmor)
    throw new TscomposeError(
      'unsupported',
      `cannot set the AppArmor profile "${appArmor}": this kernel has no AppArmor`,
      {
        hint: 'remove the security option: namespaces, capabilities and seccomp confine the container',
      },
    );
  if (label !== undefined && modules.selinux)
    throw new TscomposeError('unsupported', `this engine does not support the security option "${label}"`, {
      hint: 'it sets no labels of SELinux: remove the option',
    });
}

/** The profile that `inspect` shows: none on a kernel without AppArmor, else what the container is confined by. */
export function appArmorProfile(modules: SecurityModules, host: HostConfig): string {
  return modules.apparmor ? (parseSecurityOptions(host.SecurityOpt ?? []).appArmor ?? 'unconfined') : '';
}
