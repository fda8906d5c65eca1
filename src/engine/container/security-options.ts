import {TscomposeError} from '../../base/errors.ts';
import {parseSeccompProfile} from './seccomp/parse-profile.ts';
import type {SeccompProfile} from './seccomp/profile.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** Undefined where nothing is said: what that means depends on the container. */
  readonly seccomp: 'builtin' | 'unconfined' | SeccompProfile | undefined;
  /** Whether the container may write to its own cgroups; undefined where nothing is said. */
  readonly writableCgroups: boolean | undefined;
  /** The AppArmor profile that confines it; undefined: none. */
  readonly appArmor: string | undefined;
  /** The last option that asks for a label of SELinux. */
  readonly label: string | undefined;
}

const nothing: SecurityOptions = {
  noNewPrivileges: false,
  seccomp: undefined,
  writableCgroups: undefined,
  appArmor: undefined,
  label: undefined,
};

/**
 * `no-new-privileges`, `seccomp=PROFILE` with the profile itself, `writable-cgroups`, `apparmor=NAME` of a loaded profile,
 * `label=…`; whether the kernel has the last two is seen elsewhere. Throws `invalid`, in Docker's words, or `unsupported`.
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  return Object.assign({}, nothing, ...options.map(parseOption));
}

function parseOption(option: string): Partial<SecurityOptions> {
  if (option === 'no-new-privileges') return {noNewPrivileges: true};
  if (option === 'writable-cgroups') return {writableCgroups: true};
  // `:` is the old spelling of `=`.
  const at = option.includes('=') ? option.indexOf('=') : option.indexOf(':');
  if (at < 0) throw invalid(1, option);
  const value = option.slice(at + 1);
  switch (option.slice(0, at)) {
    case 'no-new-privileges':
      return {noNewPrivileges: parseFlag(option, value)};
    case 'writable-cgroups':
      return {writableCgroups: parseFlag(option, value)};
    case 'seccomp':
      return {seccomp: parseProfile(value)};
    case 'apparmor':
      return {appArmor: parseProfileName(option, value)};
    case 'label':
      return value === 'disable' ? {} : {label: option};
    default:
      throw invalid(2, option);
  }
}

/** It becomes part of a line that the kernel reads. */
function parseProfileName(option: string, name: string): string | undefined {
  if (/\p{Cc}/u.test(name)) throw invalid(2, option);
  return ['', 'unconfined'].includes(name) ? undefined : name;
}

function parseProfile(value: string): SecurityOptions['seccomp'] {
  if (value === '' || value === 'builtin') return 'builtin';
  return value === 'unconfined' ? value : parseSeccompProfile(value);
}

/** As Docker reads a flag. */
function parseFlag(option: string, value: string): boolean {
  if (/^(?:1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(?:0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw invalid(2, option);
}

/** Docker's words, with the number of the check that found it. */
function invalid(check: 1 | 2, option: string): TscomposeError {
  const hint = option.startsWith('systempaths')
    ? 'for unconfined system paths give empty lists of MaskedPaths and ReadonlyPaths'
    : undefined;
  return new TscomposeError('invalid', `invalid --security-opt ${check}: ${JSON.stringify(option)}`, {hint});
}
