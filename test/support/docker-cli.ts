import {spawnSync} from 'node:child_process';

/** Words that a `docker` command line needs to be found with its plugins, whatever the test's own surroundings are. */
const surroundings = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: process.env['HOME'] ?? '/root',
  ...(process.env['DOCKER_CONFIG'] === undefined ? {} : {DOCKER_CONFIG: process.env['DOCKER_CONFIG']}),
};

/** Environment of a `docker` command that talks to an engine. */
export function dockerEnvironment(socketPath: string): Readonly<Record<string, string>> {
  return {...surroundings, DOCKER_HOST: `unix://${socketPath}`};
}

/** Undefined where the real command line is there; else why a test with it cannot run. */
export function missingDocker(plugin?: 'compose' | 'buildx'): string | undefined {
  const words = plugin === undefined ? ['--version'] : [plugin, 'version'];
  const {status} = spawnSync('docker', words, {env: surroundings, stdio: 'ignore'});
  return status === 0 ? undefined : `there is no "docker ${words.join(' ')}" on this machine`;
}
