import {resolve} from 'node:path';
import {sha256Hex} from '../../base/canonical-json.ts';
import {TscomposeError} from '../../base/errors.ts';
import {ownProfile} from '../attributes/security.ts';
import {keyAt, type Tree} from '../tree.ts';
import type {SeccompProfileFile, Service} from '../types.ts';
import type {ResolveContext} from './resolve.ts';
import {expandHome, readSource, shownPath} from './source-file.ts';

interface ProfileRequest {
  readonly tree: Tree;
  /** Of the project: paths begin there, also those of included files, as in Compose. */
  readonly directory: string;
  /** Report a file that is not there; else it is left out. */
  readonly required: boolean;
  readonly context: ResolveContext;
}

/** The files that services name as their seccomp profiles, by the path as it is written. */
export async function readProfiles(
  services: Readonly<Record<string, Service>>,
  {tree, directory, required, context}: ProfileRequest,
): Promise<Readonly<Record<string, SeccompProfileFile>>> {
  const profiles = new Map<string, SeccompProfileFile>();
  for (const [name, {security_opt = []}] of Object.entries(services)) {
    for (const [index, option] of security_opt.entries()) {
      const path = ownProfile(option);
      if (path === undefined || profiles.has(path)) continue;
      try {
        profiles.set(path, await readProfile(path, directory, context));
      } catch (error) {
        if (!(error instanceof TscomposeError)) throw error;
        if (!required) continue;
        context.problems.error(keyAt(tree, ['services', name, 'security_opt']), {
          code: 'unreadable-file',
          message: `services.${name}.security_opt[${index}]: ${error.message}`,
          hint: error.hint ?? 'create the file, or correct the path behind "seccomp="',
        });
      }
    }
  }
  return Object.fromEntries(profiles);
}

async function readProfile(
  path: string,
  directory: string,
  {source, environment, workingDirectory, maxFileSize}: ResolveContext,
): Promise<SeccompProfileFile> {
  const file = resolve(directory, expandHome(path, environment.values.get('HOME')));
  const shown = shownPath(file, workingDirectory);
  const {text} = await readSource(file, {source, shown, what: 'seccomp profile', maxFileSize});
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new TscomposeError(
      'invalid',
      `the seccomp profile "${shown}" is not JSON: ${(cause as Error).message.replace(/\s+/g, ' ')}`,
      {
        cause,
        hint: 'correct the file',
      },
    );
  }
  const content = compact(text);
  return {content, digest: `sha256:${sha256Hex(content)}`};
}

/** Without the blanks between its values, and else as it is written: numbers may be larger than ours are exact. */
function compact(json: string): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|\s+/gs, (piece) => (piece.startsWith('"') ? piece : ''));
}
