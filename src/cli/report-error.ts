import picocolors from 'picocolors';
import {renderDiagnostics} from '../base/diagnostic.ts';
import {exitCodes, type TscomposeError} from '../base/errors.ts';
import {defused} from '../base/printable.ts';
import type {CliContext} from './context.ts';
import {jsonText} from './json-text.ts';

/**
 * Shows an error and returns the exit code. A person sees the message and what to do; a trace only for a fault of
 * ours (kind `internal`) and only when asked for with TSCOMPOSE_TRACE=1.
 */
export function reportError(context: CliContext, error: TscomposeError): number {
  const color = picocolors.createColors(context.color(context.stderr));
  if (context.global.progress === 'json') {
    context.stderr.write(
      `${jsonText({error: true, kind: error.kind, message: error.message, ...(error.hint && {hint: error.hint})})}\n`,
    );
    return error.exitCode;
  }
  if (error.kind === 'canceled') {
    context.stderr.write(`${color.yellow('canceled:')} ${defused(error.message)}\n`);
    return exitCodes.interrupted;
  }
  if (error.diagnostics.length > 0) {
    context.stderr.write(`${renderDiagnostics(error.diagnostics, {color: context.color(context.stderr)})}\n`);
    return error.exitCode;
  }
  context.stderr.write(`${color.red('error:')} ${defused(error.message)}\n`);
  if (error.hint !== undefined) context.stderr.write(`${color.cyan('hint:')} ${defused(error.hint)}\n`);
  if (error.kind === 'internal' && context.env['TSCOMPOSE_TRACE'] === '1') context.stderr.write(`${trace(error)}\n`);
  return error.exitCode;
}

function trace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined
    ? (error.stack ?? error.message)
    : `${error.stack}\ncaused by: ${trace(error.cause)}`;
}
