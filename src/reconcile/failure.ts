import type {Diagnostic} from '../base/diagnostic.ts';
import {TscomposeError} from '../base/errors.ts';
import type {PlanNode} from '../plan/action.ts';
import {imageKey} from '../plan/image-key.ts';
import type {Evidence, FailureInfo} from '../report/event.ts';

/** Something that was to be done or waited for, and could not. */
export interface Failure {
  /** See {@link nodeKey}. */
  readonly key: string;
  readonly error: TscomposeError;
  readonly evidence?: Evidence;
}

export function failureInfo(failure: Failure): FailureInfo {
  const {error, evidence} = failure;
  return {
    kind: error.kind,
    message: error.message,
    ...(error.hint === undefined ? {} : {hint: error.hint}),
    ...(evidence === undefined ? {} : {evidence}),
  };
}

/**
 * One error for all failures of a command: the only one as it is; several as a list, with the first one's kind. Where one has
 * a place in a file, all are told in that form.
 */
export function combineFailures(failures: readonly Failure[]): TscomposeError {
  const [first] = failures;
  if (first === undefined) return new TscomposeError('internal', 'nothing failed');
  if (failures.length === 1) return first.error;
  const kind = failures.every(({error}) => error.kind === first.error.kind) ? first.error.kind : 'dependencyFailed';
  return new TscomposeError(kind, failures.map(({error}) => error.message).join('\n'), {
    hint: failures.find(({error}) => error.hint !== undefined)?.error.hint,
    cause: first.error,
    ...(failures.some(({error}) => error.diagnostics.length > 0) && {diagnostics: failures.flatMap(diagnosticsOf)}),
  });
}

function diagnosticsOf({error}: Failure): readonly Diagnostic[] {
  const {kind, message, hint, diagnostics} = error;
  if (diagnostics.length > 0) return diagnostics;
  return [{severity: 'error', code: kind, message, ...(hint === undefined ? {} : {hint})}];
}

/** The same for the same thing to do in the plans of all waves: what failed once is not tried again. */
export function nodeKey({action}: PlanNode): string {
  switch (action.kind) {
    case 'createNetwork':
    case 'removeNetwork':
    case 'createVolume':
    case 'removeVolume':
    case 'removeImage':
      return `${action.kind} ${action.name}`;
    case 'pullImage':
      return `${action.kind} ${imageKey(action.image, action.platform)}`;
    case 'buildImage':
      return `${action.kind} ${action.image}`;
    case 'createContainer':
      return `${action.kind} ${action.service} ${action.replica}`;
    case 'awaitCondition':
      return `${action.kind} ${action.service} ${action.condition}`;
    case 'renameContainer':
      return `${action.kind} ${action.name}`;
    case 'runHook':
      return `${action.kind} ${action.hook} ${action.container.name} ${action.number}`;
    case 'startContainer':
    case 'stopContainer':
    case 'restartContainer':
    case 'killContainer':
    case 'pauseContainer':
    case 'unpauseContainer':
    case 'removeContainer':
      return `${action.kind} ${action.container.name}`;
  }
}
