/**
 * What a system call filter is compiled from. Rules are tried in their order: the first that names the call and whose
 * conditions all hold decides, else `otherwise` does.
 */
export interface SeccompProfile {
  /** Calls that no rule names or lets through. */
  readonly otherwise: SeccompAction;
  /** Calls with a number above all that any rule names: libraries then fall back to older calls. */
  readonly newer: SeccompAction;
  readonly rules: readonly SeccompRule[];
  /** Ways to call the kernel that are let in at all, besides the machine's own. Absent: all that its programs know. */
  readonly conventions?: readonly ConventionName[];
  /** SECCOMP_FILTER_FLAG_* for loading it. */
  readonly flags?: number;
}

/** Ways to call the kernel, by libseccomp's names. */
export type ConventionName =
  | 'SCMP_ARCH_X86_64'
  | 'SCMP_ARCH_X32'
  | 'SCMP_ARCH_X86'
  | 'SCMP_ARCH_AARCH64'
  | 'SCMP_ARCH_ARM';

/** A version of the kernel: 5.15. */
export type KernelVersion = readonly [major: number, minor: number];

export interface SeccompRule {
  /** Blank-separated. A name that an architecture does not have is no rule there. */
  readonly calls: string;
  readonly action: SeccompAction;
  /** All must hold. Several alternatives are several rules. */
  readonly when?: readonly Condition[];
  /** The rule is there where the process has all of these capabilities (names without `CAP_`). */
  readonly with?: readonly string[];
  /** The rule is there where the process has none of these capabilities. */
  readonly without?: readonly string[];
  /** The rule is there from this kernel on. */
  readonly since?: KernelVersion;
  /** The rule is there on kernels older than this one. */
  readonly before?: KernelVersion;
  /** The rule is there on these machines only (and for their 32-bit programs). Absent: on all. */
  readonly machines?: readonly Machine[];
}

export type Machine = 'x64' | 'arm64';

export type SeccompAction =
  | {readonly kind: 'allow'}
  | {readonly kind: 'error'; readonly errno: number}
  | {readonly kind: 'killThread'}
  | {readonly kind: 'killProcess'}
  | {readonly kind: 'trap'}
  /** A tracer decides, and is told `data`; without one the call is "not implemented". */
  | {readonly kind: 'trace'; readonly data: number}
  | {readonly kind: 'log'};

/** Compares an argument as an unsigned number, of 64 bits (32 for 32-bit programs). */
export interface Condition {
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  readonly operator: '==' | '!=' | '<' | '<=' | '>' | '>=';
  /** A plain number up to 2^53, above it a bigint. */
  readonly value: number | bigint;
  /** With `==`: bits of the argument that count. */
  readonly mask?: number | bigint;
}
