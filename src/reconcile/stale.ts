import {type ErrorKind, hasKind} from '../base/errors.ts';
import type {Action, ActionKind} from '../plan/action.ts';

/** The engine's answer says that another process changed what the plan was made from. */
export class StaleError extends Error {
  override readonly name = 'StaleError';
}

/**
 * Answers that, on an engine without project locks, mean that somebody else was faster: a name that is taken, a container
 * that is gone. The world is observed again.
 */
const staleKinds: Readonly<Partial<Record<ActionKind, readonly ErrorKind[]>>> = {
  createContainer: ['conflict', 'notFound'],
  createNetwork: ['conflict'],
  startContainer: ['notFound'],
  restartContainer: ['notFound'],
  runHook: ['notFound'],
  renameContainer: ['conflict', 'notFound'],
  removeContainer: ['conflict'],
};

export function isStale(action: Action, error: unknown): boolean {
  return hasKind(error, ...(staleKinds[action.kind] ?? []));
}
