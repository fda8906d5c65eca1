import type {BuildBody, BuildEvent} from '../../api/types/build.ts';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {CliContext} from '../context.ts';
import {withAuths} from './auths.ts';
import {debugRequest, enterHeld} from './debug-shell.ts';

export interface RunBuild {
  readonly body: BuildBody;
  readonly tell: (event: BuildEvent) => void;
  readonly signal: AbortSignal;
  /** What a person types for a shell in the step that fails. */
  readonly debugCommand: string;
  /** Hold the step that fails; lends the terminal until what it answers is called. */
  readonly debug?: (() => () => void) | undefined;
}

export type Metadata = Extract<BuildEvent, {readonly kind: 'metadata'}>['metadata'];

/** Builds an image, and tells what goes on. Answers what there is to know of what was built. */
export async function runBuild(context: CliContext, docker: Docker, run: RunBuild): Promise<Metadata> {
  const {body, tell, signal, debug} = run;
  const asked = debug === undefined ? body : {...body, ...debugRequest(context)};
  let metadata: Metadata = {};
  let isTold = false;
  try {
    const complete = await withAuths(context, asked, (warning) => tell({kind: 'warning', warning}));
    const events = await docker.build(complete, {abortSignal: signal});
    for await (const event of events) {
      tell(event);
      if (event.kind === 'metadata') metadata = event.metadata;
      if (event.kind !== 'held' || debug === undefined) continue;
      const resume = debug();
      isTold = true;
      await enterHeld(context, docker, event).finally(resume);
    }
  } catch (error) {
    throw failureOf(error, run, isTold);
  }
  return metadata;
}

/** What was shown before a shell was opened is not shown once more; else it is said how to open one. */
function failureOf(error: unknown, {signal, debugCommand}: RunBuild, isTold: boolean): TscomposeError {
  const known = toTscomposeError(error);
  if (signal.aborted || known.kind === 'canceled')
    return new TscomposeError('canceled', 'interrupted: the image was not built', {cause: error});
  const {kind, message, hint} = known;
  if (isTold) return new TscomposeError(kind, message, {cause: error});
  if (kind !== 'dependencyFailed') return known;
  const diagnostics = known.diagnostics.map((diagnostic) =>
    diagnostic.code === 'step-failed' && diagnostic.related === undefined
      ? {...diagnostic, related: {message: `for a shell in what it left: ${debugCommand}`}}
      : diagnostic,
  );
  return new TscomposeError(kind, message, {cause: error, hint, diagnostics});
}
