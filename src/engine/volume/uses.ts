import {TscomposeError} from '../../base/errors.ts';
import type {VolumeUse} from '../container/context.ts';
import type {Helper} from '../helper/coprocess.ts';
import {helperFailure} from '../helper/reply.ts';
import type {Layout} from '../layout.ts';
import {isMounted, planVolumeMount, showVolumeMount} from './options.ts';
import {readVolume, type VolumeRecord} from './record.ts';

export interface VolumeUses {
  /** Mounts its file system where nobody uses it yet. Throws `notFound`, and why it cannot be mounted. */
  use(name: string): Promise<VolumeUse>;
  /** Unmounts it where nobody uses it: what a killed process left. */
  settle(name: string): Promise<void>;
}

type UseContext = {readonly layout: Layout; readonly helper: Helper};

/**
 * Who uses a volume holds a shared lock on a file; who gets it alone knows that nobody does, and unmounts. Mounts are made with
 * the shared one in hand, so that nobody unmounts, and with the volume's own, so that nobody else mounts. Monitors, which have
 * only the shared one, leave by themselves (native/src/volume-use.c).
 */
export function createVolumeUses(context: UseContext): VolumeUses {
  const {layout, helper} = context;
  return {
    async use(name) {
      const record = await readVolume(layout, name);
      if (record === undefined) throw new TscomposeError('notFound', `get ${name}: no such volume`);
      const directory = layout.volume(name).data;
      if (!isMounted(record.options)) return {directory, [Symbol.asyncDispose]: async () => {}};
      await using mutex = await helper.lock(layout.locks.volume(name));
      void mutex;
      const lock = layout.locks.volumeMount(name);
      // Left by somebody who was killed: memory would still have what was in it.
      await unmountAlone(context, name);
      const shared = await helper.lock(lock, {mode: 'shared'});
      const leave = async () => {
        await shared[Symbol.asyncDispose]();
        await unmountAlone(context, name);
      };
      try {
        await mount(context, record);
      } catch (error) {
        await leave();
        throw error;
      }
      return {
        directory,
        lock,
        [Symbol.asyncDispose]: async () => {
          await using again = await helper.lock(layout.locks.volume(name));
          void again;
          await leave();
        },
      };
    },

    async settle(name) {
      const record = await readVolume(layout, name);
      if (record === undefined || !isMounted(record.options)) return;
      // Whoever has it is about to use it, or leaves it as it should be: a mount may take long.
      const mutex = await helper.tryLock(layout.locks.volume(name));
      if (mutex === undefined) return;
      await using held = mutex;
      void held;
      await unmountAlone(context, name);
    },
  };
}

/** With the volume's lock in hand. False: somebody uses it. */
export async function unmountAlone({layout, helper}: UseContext, name: string): Promise<boolean> {
  const alone = await helper.tryLock(layout.locks.volumeMount(name));
  if (alone === undefined) return false;
  await using held = alone;
  void held;
  await helper.request({kind: 'volumeUnmount', target: layout.volume(name).data});
  return true;
}

async function mount({layout, helper}: UseContext, {name, options}: VolumeRecord): Promise<void> {
  const plan = await planVolumeMount(options, (host) => addressOf(name, host));
  try {
    await helper.request({kind: 'volumeMount', target: layout.volume(name).data, ...plan});
  } catch (error) {
    throw explain(error, `cannot mount volume "${name}" (${showVolumeMount(plan)})`, plan.type);
  }
}

async function addressOf(name: string, host: string): Promise<string> {
  // Loaded here: hardly any volume is on a server.
  const {lookup} = process.getBuiltinModule('node:dns/promises');
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new TscomposeError('unavailable', `cannot mount volume "${name}": its server "${host}" has no address`, {
      cause,
    });
  }
}

/** The kernel says little; which file systems it has is the usual reason. */
function explain(error: unknown, what: string, type: string): unknown {
  const failure = helperFailure(error);
  if (failure === undefined || !(error instanceof TscomposeError)) return error;
  const reason = error.message.slice(failure.step.length + 2) || error.message;
  if (failure.errno === 'ENODEV')
    return new TscomposeError('unsupported', `${what}: this kernel has no file system "${type}"`, {cause: error});
  return new TscomposeError(error.kind, `${what}: ${reason}`, {cause: error});
}
