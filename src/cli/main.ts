import {exitCodes, toTscomposeError} from '../base/errors.ts';
import type {Boot} from './boot.ts';
import {createContext} from './context.ts';

/** The only place that ends the process. */
async function main(): Promise<void> {
  process.stdout.on('error', endWithoutOutput);
  process.stderr.on('error', endWithoutProgress);
  const words = process.argv.slice(2);
  // The bundler leaves out of other programs what only the whole one can come to.
  if (TSCOMPOSE_ONLY === '' && words[0] === '__complete') {
    const {complete} = await import('./completion/complete.ts');
    await complete(words.slice(1), tscompose.program);
    return end();
  }
  const {parseCommandLine} = await import('./parse.ts');
  const parsed = parseCommandLine(words);
  if (parsed.kind === 'done') {
    process.exitCode = parsed.exitCode;
    tscompose.beforeExit();
    return;
  }
  if (TSCOMPOSE_ONLY !== '' && parsed.command.name !== TSCOMPOSE_ONLY) return tscompose.runWhole();
  const context = createContext(parsed.global, tscompose.program);
  try {
    process.exitCode = await parsed.command.run(context, parsed.input);
  } catch (error) {
    const {reportError} = await import('./report-error.ts');
    process.exitCode = reportError(context, toTscomposeError(error));
  }
  return end();
}

/** What still waits (sockets, timers) belongs to a command that has given its answer. */
async function end(): Promise<never> {
  await flushed(process.stdout);
  await flushed(process.stderr);
  // Files are written at once, but tell of a failure later than we would be gone.
  if (process.stdout.errored) endWithoutOutput(process.stdout.errored);
  if (process.stderr.errored) endWithoutProgress(process.stderr.errored);
  tscompose.beforeExit();
  process.exit();
}

/** A broken pipe ends the process quietly, as shells expect; whatever else swallows output must not look like success. */
function endWithoutOutput(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? exitCodes.success);
  if (process.stderr.errored === null)
    process.stderr.write(`error: ${toTscomposeError(error, 'cannot write the output').message}\n`);
  process.exit(process.exitCode || exitCodes.failure);
}

/** Progress that nobody reads any more is no reason to leave work half done. */
function endWithoutProgress(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') endWithoutOutput(error);
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}

/** Given by `boot.ts`. */
declare const tscompose: Boot;
/** The one command that this program is for, or nothing in the whole one (scripts/build.mjs). */
declare const TSCOMPOSE_ONLY: string;

void main();
