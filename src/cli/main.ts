#!/usr/bin/env node
import {setFlagsFromString} from 'node:v8';
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
  process.exit();
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}

/**
 * A short command ends before optimized code has paid for being made: with the optimizer, parsing a stack file of 300 lines
 * costs three times the CPU. What still runs after a second gets it.
 */
function optimizeOnlyLongRuns(): void {
  setFlagsFromString('--no-opt');
  setTimeout(() => setFlagsFromString('--opt'), 1000).unref();
}

optimizeOnlyLongRuns();
await main();
