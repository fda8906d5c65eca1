import type {HookOutput} from '../reconcile/apply-hook.ts';
import type {ConvergeContext} from '../reconcile/converge.ts';
import {shortName} from './follow-logs.ts';
import type {LogPrinter} from './log-printer.ts';

/** What hooks of these services write, among the logs, under the name of the container and an arrow, as Compose does it. */
export function printHooks(
  printer: LogPrinter,
  {project, services}: {readonly project: string; readonly services: readonly string[]},
): NonNullable<ConvergeContext['hookOutput']> {
  return ({name, service}) => {
    if (!services.includes(service)) return silent;
    const prefix = `${shortName(name, project)} ->`;
    return {
      write: ({stream, data}) => printer.print(prefix, stream, data),
      end: () => printer.flush(prefix),
    };
  };
}

const silent: HookOutput = {write: () => undefined, end: () => undefined};
