import {TscomposeError} from '../../base/errors.ts';
import {parseSeccompProfile} from './seccomp/parse-profile.ts';
import type {SeccompProfile} from './seccomp/profile.ts';

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** Undefined where nothing is said: what that means depends on the container. */
  readonly seccomp: 'builtin' | 'unconfined' | SeccompProfile | undefined;
  /** Whether the container may write to its own cgroups; undefined where nothing is said. */
  readonly writableCgroups: boolean | undefined;
}

const nothing: SecurityOptions = {noNewPrivileges: false, seccomp: undefined, writableCgroups: undefined};

/**
 * `no-new-privileges`, `seccomp=PROFILE` with the profile itself, `writable-cgroups`; of AppArmor and SELinux only what asks
 * for none. Throws `invalid`, in Docker's words, or `unsupported`.
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
      return refuseProfile(option, ['', 'unconfined'].includes(value));
    case 'label':
      return refuseProfile(option, value === 'disable');
    default:
      throw invalid(2, option);
  }
}

/** Neither AppArmor nor SELinux confines any container. */
function refuseProfile(option: string, asksForNone: boolean): Partial<SecurityOptions> {
  if (asksForNone) return {};
  throw new TscomposeError('unsupported', `this engine does not support the security option "${option}"`, {
    hint: 'it confines containers with namespaces, capabilities and seccomp: remove the option',
  });
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
