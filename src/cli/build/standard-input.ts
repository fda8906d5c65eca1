import {closeSync, mkdtempSync, openSync, rmSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {isArchiveHeader} from '../../engine/build/archive-source.ts';
import {peek, sniffArchive} from '../../engine/image/compression.ts';
import type {CliContext} from '../context.ts';

/** What came by standard input: a context, or a Dockerfile alone. */
export type StandardInput =
  | ({readonly kind: 'archive'; readonly path: string} & Disposable)
  | {readonly kind: 'text'; readonly text: string};

const headLength = 512;
/** Bytes that a Dockerfile may have. */
const textMost = 4 * 1024 * 1024;

/** Tells an archive, compressed or not, by its first bytes. It is kept in a file without a name, for the engine to open. */
export async function readStandardInput({stdin, env}: Pick<CliContext, 'stdin' | 'env'>): Promise<StandardInput> {
  checkNoTerminal(stdin);
  const {head, content} = await peek(stdin as AsyncIterable<Uint8Array>, headLength);
  if (sniffArchive(head) !== 'none' || isArchiveHeader(head)) return await keep(content, env['TMPDIR'] || '/tmp');
  return {kind: 'text', text: await readText(content)};
}

/** A Dockerfile, and nothing else. */
export async function readDockerfileText({stdin}: Pick<CliContext, 'stdin'>): Promise<string> {
  checkNoTerminal(stdin);
  return await readText(stdin as AsyncIterable<Uint8Array>);
}

function checkNoTerminal({isTTY}: CliContext['stdin']): void {
  if (isTTY !== true) return;
  throw new TscomposeError('invalid', 'standard input is a terminal, and not a Dockerfile', {
    exitCode: exitCodes.usage,
  });
}

async function readText(content: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of content) {
    bytes += piece.length;
    if (bytes > textMost)
      throw new TscomposeError('invalid', `the Dockerfile on standard input has more than ${textMost} bytes`);
    pieces.push(piece);
  }
  const text = Buffer.concat(pieces).toString('utf8');
  if (!text.includes('\0')) return text;
  throw new TscomposeError('invalid', 'standard input is neither a Dockerfile nor an archive', {
    hint: 'archives of tar are read: plain, or compressed with gzip, xz, bzip2 or zstd',
  });
}

async function keep(content: AsyncIterable<Uint8Array>, temporary: string): Promise<StandardInput> {
  const directory = mkdtempSync(join(temporary, 'tscompose-context-'));
  let file: number | undefined;
  try {
    file = openSync(join(directory, 'context'), 'wx+', 0o600);
  } finally {
    rmSync(directory, {recursive: true});
  }
  const close = () => closeSync(file);
  try {
    for await (const piece of content) for (let at = 0; at < piece.length; ) at += writeSync(file, piece, at);
  } catch (error) {
    close();
    throw error;
  }
  return {kind: 'archive', path: `/proc/${process.pid}/fd/${file}`, [Symbol.dispose]: close};
}
