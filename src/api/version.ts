/** The version of the Engine API that we speak, as client and as server. */
export const apiVersion = '1.51';
/** The oldest version our server answers. */
export const oldestServedVersion = '1.24';
/** The oldest version our client uses: from here on every stream states in its content type whether it is multiplexed. */
export const oldestUsedVersion = '1.42';

/** Negative when `left` is older: versions compare number by number (`1.9` is older than `1.10`). */
export function compareVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number);
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number);
  return leftMajor === rightMajor ? leftMinor - rightMinor : leftMajor - rightMajor;
}

/** Headers of ours beside the API's. */
export const ownHeaders = {
  /** The error's kind: statuses are fewer than kinds. */
  errorKind: 'x-tscompose-error-kind',
  /** On `/_ping`: what the engine offers beyond Docker's API, separated by commas. */
  features: 'x-tscompose-features',
} as const;
