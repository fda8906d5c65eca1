import {toTscomposeError} from '../base/errors.ts';
import {createContext} from './context.ts';
import {parseCommandLine} from './parse.ts';
import {reportError} from './report-error.ts';

/** The only place that ends the process. A broken pipe on standard output ends it quietly, as shells expect. */
async function main(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
  const parsed = parseCommandLine(process.argv.slice(2));
  if (parsed.kind === 'done') {
    process.exitCode = parsed.exitCode;
    tscomposeBeforeExit();
    return;
  }
  const context = createContext(parsed.global);
  try {
    process.exitCode = await parsed.command.run(context, parsed.input);
  } catch (error) {
    process.exitCode = reportError(context, toTscomposeError(error));
  }
  // What still waits (sockets, timers) belongs to a command that has given its answer.
  await flushed(process.stdout);
  await flushed(process.stderr);
  tscomposeBeforeExit();
  process.exit();
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}

/** Given by `boot.ts`: to be called once, when everything is done. */
declare const tscomposeBeforeExit: () => void;

void main();
