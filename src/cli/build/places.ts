import {isAbsolute, resolve} from 'node:path';
import {readFetchedSource} from '../../api/build-source.ts';
import type {BuildBody} from '../../api/types/build.ts';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import {readDockerfile, readIgnore} from './dockerfile.ts';
import {readDockerfileText, readStandardInput} from './standard-input.ts';

/** Where the files of a build and its Dockerfile are. Disposed once it was built. */
export interface BuildPlaces extends Disposable {
  readonly body: Pick<BuildBody, 'context' | 'source' | 'dockerfile' | 'ignore'>;
}

/** Reads what `build CONTEXT -f FILE` means. Throws `notFound`, `invalid`. */
export async function readPlaces(context: CliContext, place: string, file: string | undefined): Promise<BuildPlaces> {
  if (place === '-') return await fromStandardInput(context, file);
  const source = readFetchedSource(place);
  if (source !== undefined) return lasting({source, ...(await dockerfileOf(context, file))});
  const directory = resolve(context.cwd, place);
  if (file === '-') {
    const text = await readDockerfileText(context);
    return lasting({context: directory, dockerfile: {text, shown: '-'}, ...readIgnore(directory, undefined)});
  }
  if (file !== undefined && isUrl(file))
    return lasting({context: directory, dockerfile: {url: file}, ...readIgnore(directory, undefined)});
  const read = await readDockerfile({context: directory, file, workingDirectory: context.cwd});
  return lasting({context: directory, ...read});
}

async function fromStandardInput(context: CliContext, file: string | undefined): Promise<BuildPlaces> {
  if (file === '-') {
    throw new TscomposeError('invalid', 'standard input cannot be the context and the Dockerfile', {
      exitCode: exitCodes.usage,
      hint: 'name one of them by its path',
    });
  }
  const input = await readStandardInput(context);
  if (input.kind === 'text') return lasting({dockerfile: {text: input.text, shown: '-'}});
  const {path} = input;
  const body = {source: {kind: 'archive', path} as const, ...(await dockerfileOf(context, file))};
  return {body, [Symbol.dispose]: () => input[Symbol.dispose]()};
}

/** A path is one of this machine only where it is absolute: else it is in the context. */
async function dockerfileOf(context: CliContext, file: string | undefined): Promise<Pick<BuildBody, 'dockerfile'>> {
  if (file === '-') return {dockerfile: {text: await readDockerfileText(context), shown: '-'}};
  if (file !== undefined && isUrl(file)) return {dockerfile: {url: file}};
  if (file === undefined || !isAbsolute(file)) return {dockerfile: {inContext: file ?? 'Dockerfile'}};
  const {dockerfile} = await readDockerfile({context: undefined, file, workingDirectory: context.cwd});
  return {dockerfile};
}

function isUrl(file: string): boolean {
  return /^https?:\/\//.test(file);
}

function lasting(body: BuildPlaces['body']): BuildPlaces {
  return {body, [Symbol.dispose]: () => undefined};
}
