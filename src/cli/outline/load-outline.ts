import {join} from 'node:path';
import {canonicalJson, sha256Hex} from '../../base/canonical-json.ts';
import {machineFiles} from '../../base/file-source.ts';
import {recordSource} from '../../base/recorded-source.ts';
import type {LoadRequest} from '../../model/load.ts';
import type {CliContext} from '../context.ts';
import {cacheDirectory} from '../kept-files.ts';
import {createOutlineCache, hashVariables, type OutlineCache} from './outline-cache.ts';
import {type LoadedOutline, outlineOf} from './stack-outline.ts';

/**
 * The outline of a stack. What an earlier run has read is taken where its files, variables and arguments and the program
 * itself are the same; else the stack is read, and kept. Throws as `loadProject` does: problems are not kept.
 */
export async function loadOutline(
  context: Pick<CliContext, 'env' | 'program'>,
  request: LoadRequest,
): Promise<LoadedOutline> {
  const place = cacheDirectory(context.env);
  if (place === undefined) return readOutline(request);
  const cache = createOutlineCache(join(place, 'stacks'));
  const key = keyOf(context.program, request);
  return (await cache.read(key, request.environment, machineFiles)) ?? readAndKeep(request, cache, key);
}

/** Everything that was asked for. Which variables and files that depends on is known once it was read. */
function keyOf(program: string, {environment: _, ...request}: LoadRequest): string {
  return sha256Hex(canonicalJson({program, request}));
}

async function readOutline(request: LoadRequest, source = machineFiles): Promise<LoadedOutline> {
  const {loadProject} = await import('../../model/load.ts');
  return outlineOf(await loadProject(request, source));
}

async function readAndKeep(request: LoadRequest, cache: OutlineCache, key: string): Promise<LoadedOutline> {
  const {source, observations} = recordSource(machineFiles);
  const names = new Set<string | undefined>();
  const loaded = await readOutline({...request, onLookup: (name) => names.add(name)}, source);
  const observed = observations();
  if (observed !== undefined) {
    const lookedUp = names.has(undefined) ? null : [...names].filter((name) => name !== undefined);
    cache.keep(key, {
      ...loaded,
      lookedUp,
      variables: hashVariables(lookedUp, request.environment),
      observations: observed,
    });
  }
  return loaded;
}
