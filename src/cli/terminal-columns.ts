import type {CliContext} from './context.ts';

/** Width of the terminal that standard output is; undefined where it is none: then nothing is cut or left out. */
export function terminalColumns({stdout}: CliContext): number | undefined {
  return stdout.isTTY === true && stdout.columns > 0 ? stdout.columns : undefined;
}
