import {createReadStream} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {parseAnnotation} from '../../api/build-annotation.ts';
import {parseOutput} from '../../api/build-output.ts';
import {parseAttestation, parseProvenance, refuseSbom} from '../../api/build-provenance.ts';
import type {BuildBody} from '../../api/types/build.ts';
import type {BuildAnnotation, BuildOutput, BuildProvenance} from '../../api/types/build-output.ts';
import {exitCodes, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';

type Flags = Input<'engine build'>['flags'];

export interface Outputs extends AsyncDisposable {
  readonly body: Pick<BuildBody, 'outputs' | 'provenance'>;
  /** Whether a file is only on its way to standard output. */
  isPassing(path: string): boolean;
  /** Passes on what was meant for standard output. Answers whether there was any. */
  toStdout(): Promise<boolean>;
}

/** What the flags say of what is made. The engine writes files, so what is for standard output goes through one. */
export async function openOutputs(context: CliContext, flags: Flags): Promise<Outputs> {
  const provenance = asUsage(() => provenanceOf(flags));
  const asked = asUsage(() => outputsOf(flags, (path) => resolve(context.cwd, path)));
  const written = asked.find((output) => 'path' in output && output.path === '-');
  if (written !== undefined) checkStdout(context, asked);
  const directory = written === undefined ? undefined : await mkdtemp(join(tmpdir(), 'tscompose-output-'));
  const passing = directory === undefined ? undefined : join(directory, 'output');
  const outputs = asked.map((output) => (output === written && passing ? {...output, path: passing} : output));
  return {
    body: {outputs: outputs as readonly BuildOutput[], ...(provenance && {provenance})},
    isPassing: (path) => path === passing,
    async toStdout() {
      if (passing === undefined) return false;
      for await (const chunk of createReadStream(passing, {highWaterMark: 1 << 20})) await write(context, chunk);
      return true;
    },
    async [Symbol.asyncDispose]() {
      if (directory !== undefined) await rm(directory, {recursive: true, force: true});
    },
  };
}

function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const {kind, message, hint} = toTscomposeError(error);
    throw new TscomposeError(kind, message, {hint, ...(kind === 'invalid' ? {exitCode: exitCodes.usage} : {})});
  }
}

function outputsOf(flags: Flags, absolute: (path: string) => string): readonly BuildOutput[] {
  const written = flags.output.map((word) => parseOutput(word, absolute));
  const annotations = flags.annotation.flatMap(parseAnnotation);
  const isImage = ({kind}: BuildOutput) => kind === 'image';
  const needsImage = flags.push || (written.length > 0 ? flags.load : annotations.length > 0);
  const outputs: readonly BuildOutput[] =
    needsImage && !written.some(isImage) ? [...written, {kind: 'image', push: flags.push}] : written;
  const pushed = outputs.map((output) => (flags.push && output.kind === 'image' ? {...output, push: true} : output));
  return pushed.map((output) => annotated(output, annotations));
}

function annotated(output: BuildOutput, annotations: readonly BuildAnnotation[]): BuildOutput {
  if (annotations.length === 0 || output.kind === 'tar' || output.kind === 'local') return output;
  return {...output, annotations: [...(output.annotations ?? []), ...annotations]};
}

/** The last one that says something holds. */
function provenanceOf({provenance, attest, sbom}: Flags): BuildProvenance | undefined {
  if (sbom !== undefined) refuseSbom(sbom);
  let found: BuildProvenance | undefined;
  for (const word of attest) found = parseAttestation(word) ?? found;
  return provenance === undefined ? found : parseProvenance(provenance);
}

function checkStdout({stdout}: CliContext, outputs: readonly BuildOutput[]): void {
  const count = outputs.filter((output) => 'path' in output && output.path === '-').length;
  const wrong = (message: string, hint: string) =>
    new TscomposeError('invalid', message, {exitCode: exitCodes.usage, hint});
  if (count > 1) throw wrong('two outputs cannot be written to standard output', 'write dest=FILE for one of them');
  if (stdout.isTTY === true)
    throw wrong('standard output is a terminal, and no place for an archive', 'redirect it, or write dest=FILE');
}

function write({stdout}: CliContext, chunk: Uint8Array): Promise<void> {
  return new Promise((done, fail) => {
    stdout.write(chunk, (error) => (error ? fail(error) : done()));
  });
}
