import {spawn} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import type {Duplex} from 'node:stream';
import {createHelper, type Helper} from '../../src/engine/helper/coprocess.ts';
import {encodeHeader, encodeOperation} from '../../src/engine/helper/operations.ts';
import type {ReplyError} from '../../src/engine/helper/reply.ts';

export function startHelper(): Helper {
  return createHelper({helperPath: process.env['TSCOMPOSE_HELPER']});
}

export interface UnpackAnswer {
  readonly ok?: boolean;
  readonly error?: ReplyError;
  readonly bytes?: number;
  readonly entries?: number;
  readonly implied?: number;
  readonly skipped?: number;
}

export interface UnpackOptions {
  readonly whiteouts?: 'overlay' | 'none';
  readonly lowers?: readonly string[];
}

/** Runs the verb `unpack` on an archive; makes the destination. */
export async function unpack(
  archive: Uint8Array,
  destination: string,
  options: UnpackOptions = {},
): Promise<UnpackAnswer> {
  const helper = startHelper();
  const [program, build] = await Promise.all([helper.path(), helper.build()]);
  await helper.close();
  mkdirSync(destination, {recursive: true});
  const child = spawn(program, ['unpack'], {stdio: ['pipe', 'inherit', 'inherit', 'pipe'], env: {}, cwd: '/'});
  const control = child.stdio[3] as Duplex;
  const {whiteouts = 'overlay', lowers = []} = options;
  control.write(encodeHeader(build));
  control.write(encodeOperation({kind: 'unpack', destination, whiteouts, xattrs: 'trusted', lowers}));
  let text = '';
  control.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(archive);
  await new Promise((resolve) => child.once('close', resolve));
  return JSON.parse(text) as UnpackAnswer;
}
