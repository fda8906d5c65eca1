import {hasKind, toTscomposeError} from '../../base/errors.ts';
import type {UiEventContent} from '../types.ts';
import type {UiWorld, WorldEffect} from './world.ts';

export interface ActionQueue {
  take(effect: WorldEffect): void;
  settled(): Promise<void>;
}

/** What changes the stack is done one after the other, as it was asked for; what only looks is done at once. */
export function createActionQueue(
  world: UiWorld,
  emit: (event: UiEventContent) => void,
  signal: AbortSignal,
): ActionQueue {
  let last = Promise.resolve();
  const act = async (effect: WorldEffect): Promise<void> => {
    if (signal.aborted) return;
    emit({kind: 'actionStarted', command: effect.command});
    try {
      const message = await world.perform(effect, signal);
      emit({kind: 'actionEnded', outcome: 'done', ...(message === undefined ? {} : {message})});
    } catch (error) {
      emit({kind: 'actionEnded', outcome: 'failed', message: describe(error)});
    }
  };
  const look = async (effect: WorldEffect): Promise<void> => {
    try {
      const message = await world.perform(effect, signal);
      if (message !== undefined) emit({kind: 'notice', level: 'info', text: message});
    } catch (error) {
      if (!signal.aborted) emit({kind: 'notice', level: 'error', text: describe(error)});
    }
  };
  return {
    take(effect) {
      if (effect.kind === 'openUrl' || effect.kind === 'loadPreviousLog' || effect.kind === 'refreshPlan') {
        void look(effect);
        return;
      }
      last = last.then(() => act(effect));
    },
    settled: () => last,
  };
}

/** An error in one line. */
export function describe(error: unknown): string {
  const {message, hint} = toTscomposeError(error);
  if (hasKind(error, 'canceled')) return 'canceled';
  return hint === undefined ? message : `${message} (${hint})`;
}
