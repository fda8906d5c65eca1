import {readdirSync} from 'node:fs';
import {setTimeout as delay} from 'node:timers/promises';
import {TscomposeError} from '../../base/errors.ts';
import type {ContainerContext} from './context.ts';
import {processesOf} from './processes-of.ts';
import type {FoundContainer} from './reference.ts';
import {observe} from './state.ts';
import {readKernelFile} from './stats/read.ts';

const lookMs = 1000;
/** So often in a row: a disk that works answers sooner, however busy it is. */
const looks = 10;

/**
 * Waits for the end of a container. Throws `timeout` where it was killed and the kernel keeps a process of it that waits for a
 * disk or a server: nobody can end that, and it may take for ever. Then `wait` is aborted.
 */
export async function unlessHeld<T>(
  context: ContainerContext,
  found: FoundContainer,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const waiting = wait(over.signal);
  const watching = watchHeld(context, found, over.signal);
  try {
    await Promise.race([waiting, watching]);
    return await waiting;
  } finally {
    over.abort();
    await Promise.allSettled([waiting, watching]);
  }
}

async function watchHeld(context: ContainerContext, found: FoundContainer, signal: AbortSignal): Promise<void> {
  for (let seen = 0; ; ) {
    await delay(lookMs, undefined, {signal}).catch(() => undefined);
    if (signal.aborted) return;
    const {kind, state} = await observe(context, found.id);
    const held = kind === 'live' ? (await processesOf(context, found, state)).find(isHeld) : undefined;
    seen = held === undefined ? 0 : seen + 1;
    if (seen === looks)
      throw new TscomposeError(
        'timeout',
        `container ${found.name} does not end: process ${held} in it was killed, and waits in the kernel for a file system that does not answer`,
        {hint: 'it ends as soon as the file system answers'},
      );
  }
}

/** Whether it, or a thread of it, has SIGKILL pending or is ending, and is not to be woken. */
function isHeld(pid: number): boolean {
  return threadsOf(pid).some((thread) => {
    const text = readKernelFile(`/proc/${pid}/task/${thread}/stat`);
    // By position in proc_pid_stat(5), behind the name: 3 the state, 9 the flags, 31 the pending signals.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state, flags, pending] = [fields[0], Number(fields[6]), Number(fields[28])];
    return state === 'D' && ((flags & ending) !== 0 || (pending & killed) !== 0);
  });
}

/** PF_EXITING of linux/sched.h. */
const ending = 0x4;
/** SIGKILL, the ninth. */
const killed = 0x100;

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // It ended.
    return [];
  }
}
