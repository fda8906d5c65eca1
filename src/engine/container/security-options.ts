import {TscomposeError} from '../../base/errors.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined';
}

/** `no-new-privileges`, `seccomp=…`; profiles of AppArmor and SELinux only where they ask for none. Throws `invalid` or `unsupported`. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: SecurityOptions['seccomp'] = 'default';
  for (const option of options) {
    const at = option.search(/[=:]/);
    const key = at < 0 ? option : option.slice(0, at);
    const value = at < 0 ? '' : option.slice(at + 1);
    if (key === 'no-new-privileges') noNewPrivileges = parseFlag(option, value);
    else if (key === 'seccomp') seccomp = parseProfile(value);
    // Neither is set for any container.
    else if ((key === 'apparmor' && value === 'unconfined') || (key === 'label' && value === 'disable')) continue;
    else throw new TscomposeError('unsupported', `this engine does not support the security option "${option}"`);
  }
  return {noNewPrivileges, seccomp};
}

function parseProfile(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return 'unconfined';
  if (value === 'builtin' || value === 'default') return 'default';
  throw new TscomposeError('unsupported', 'this engine does not support a seccomp profile of your own', {
    hint: 'remove it to get the default profile, or turn the filter off with seccomp=unconfined',
  });
}

function parseFlag(option: string, value: string): boolean {
  if (value === '' || value === 'true') return true;
  if (value === 'false') return false;
  throw new TscomposeError('invalid', `invalid security option: "${option}"`);
}
