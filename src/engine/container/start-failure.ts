import {hasKind, TscomposeError} from '../../base/errors.ts';
import {helperFailure} from '../helper/reply.ts';

/** What a person can do, by the step of the launch that failed (docs/native.md): it says which setting is meant. */
const hints: readonly (readonly [step: RegExp, hint: string])[] = [
  [/^user /, 'check "user" of the service: the image must have it, or write numbers like "1000:1000"'],
  [/^group /, 'check "user" and "group_add" of the service: the image must have the group, or write a number'],
  [
    /^execute /,
    'check "command" and "entrypoint" of the service: the image must have the program, and it must be executable',
  ],
  [
    /^bind onto /,
    'check "volumes" of the service; where a file was missing on this machine, an empty directory was made',
  ],
  [/^rlimit /, 'check "ulimits" of the service: "ulimit -Ha" shows what this machine allows'],
  [/^device /, 'check "devices" of the service: the name must be free in the container'],
  [
    /^cgroup .*\/cpu\.rt_(?:period|runtime)_us$/,
    'the cgroup above has no real-time to give: make one that has some in its cpu.rt_runtime_us, and name it in "cgroup_parent"',
  ],
  [
    /^cgroup .*\/(?:blkio\.throttle\.|io\.max$)/,
    'check "blkio_config" of the service: the kernel limits whole disks like /dev/sda, not parts of one',
  ],
  [/^cgroup .*\/cpuset\./, 'check "cpuset" of the service: the cgroup above must have these processors'],
  [/^working directory /, 'check "working_dir" of the service: it must be a directory of the container'],
];

/** Without root only: the machine's own namespace has every id. */
const missingId =
  'this user has too few ids: "tscompose doctor" says how to get more; or choose another "user" for the service, like "0"';

function isMissingId(error: unknown): boolean {
  return hasKind(error, 'unsupported') && /^(user|group|groups of user) \d+$/.test(helperFailure(error)?.step ?? '');
}

/**
 * Says of a container that could not start which of its settings is to be looked at. What it does not have, or may not be
 * executed, is a mistake of the request: "not found" would say that there is no such container. A part that a volume or an
 * image does not have is not found in Docker too.
 */
export function explainStart(error: unknown): unknown {
  const failure = helperFailure(error);
  if (!(error instanceof TscomposeError) || failure === undefined) return error;
  const ownHint = isMissingId(error) ? missingId : hints.find(([step]) => step.test(failure.step))?.[1];
  const hint = error.hint ?? ownHint;
  const isMissing = error.kind === 'notFound' && !failure.step.startsWith('subpath ');
  const isOfRequest = isMissing || error.exitCode === 126 || error.exitCode === 127;
  if (hint === undefined && !isOfRequest) return error;
  return new TscomposeError(isOfRequest ? 'invalid' : error.kind, error.message, {
    hint,
    cause: error.cause,
    exitCode: error.exitCode,
  });
}
