import {join, posix} from 'node:path';
import type {ContainerFile} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {mkdir} from '../at-once.ts';
import {writeFileAtomically} from '../record-store.ts';
import type {RecordedFile} from './record.ts';

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Keeps the contents of a container's files (configs, secrets) 0600 in its directory, for its starts. Throws `invalid`. */
export async function storeFiles(directory: string, files: readonly ContainerFile[]): Promise<readonly RecordedFile[]> {
  const contents: {readonly name: string; readonly data: Buffer}[] = [];
  const recorded = files.map((file, index): RecordedFile => {
    checkFile(file);
    const common = {target: posix.normalize(file.Target), uid: file.Uid, gid: file.Gid, mode: file.Mode};
    if (file.Source !== undefined) return {...common, source: file.Source};
    const name = String(index);
    contents.push({name, data: Buffer.from(file.Content ?? '', 'base64')});
    return {...common, stored: name};
  });
  const targets = new Set(recorded.map(({target}) => target));
  if (targets.size < recorded.length)
    throw new TscomposeError('invalid', 'two files of a container have the same target');
  if (contents.length > 0) await mkdir(directory, {mode: 0o700});
  await Promise.all(contents.map(({name, data}) => writeFileAtomically(join(directory, name), data, {mode: 0o600})));
  return recorded;
}

function checkFile({Target, Content, Source, Uid, Gid, Mode}: ContainerFile): void {
  const fail = (reason: string): never => {
    throw new TscomposeError('invalid', `file ${Target}: ${reason}`);
  };
  if (typeof Target !== 'string' || !Target.startsWith('/') || Target.endsWith('/'))
    fail('the target must be an absolute path of a file');
  if ((Content === undefined) === (Source === undefined)) fail('exactly one of Content and Source must be given');
  if (Content !== undefined && !base64.test(Content)) fail('the content must be base64');
  if (Source !== undefined && !Source.startsWith('/')) fail('the source must be an absolute path');
  if (![Uid, Gid].every((id) => Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1))
    fail('owner and group must be numbers');
  if (!Number.isInteger(Mode) || Mode < 0 || Mode > 0o7777) fail('the mode must be permission bits');
}
