import {execFileSync, spawnSync} from 'node:child_process';

/** The command that runs a real Docker Engine with Compose. */
export const oracle = new URL('./oracle', import.meta.url).pathname;

/**
 * Starts the engine, unless it runs, with an image in it. Answers how to end it: one that ran before goes on.
 * @param {string} archive
 * @returns {() => void}
 */
export function startOracle(archive) {
  const ranBefore = spawnSync(oracle, ['docker', 'version'], {stdio: 'ignore'}).status === 0;
  execFileSync(oracle, ['up'], {stdio: ['ignore', 'ignore', 'inherit']});
  execFileSync(oracle, ['docker', 'load', '-q', '-i', archive], {stdio: 'ignore'});
  return () => {
    if (!ranBefore) spawnSync(oracle, ['down'], {stdio: 'ignore'});
  };
}
