import {spawnSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** Words that a `docker` command line needs to be found with its plugins, whatever the test's own surroundings are. */
const surroundings: Readonly<Record<string, string>> & {readonly DOCKER_CONFIG?: string} = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: process.env['HOME'] ?? '/root',
  ...(process.env['DOCKER_CONFIG'] === undefined ? {} : {DOCKER_CONFIG: process.env['DOCKER_CONFIG']}),
};

/** Environment of a `docker` command that talks to an engine. */
export function dockerEnvironment(socketPath: string): Readonly<Record<string, string>> {
  return {...surroundings, DOCKER_HOST: `unix://${socketPath}`};
}

/** Writes the configuration of a `docker` command that has these logins: `{REGISTRY: 'user:password'}`; its directory is DOCKER_CONFIG. */
export function writeDockerLogins(directory: string, logins: Readonly<Record<string, string>>): void {
  const auths = Object.entries(logins).map(([registry, login]) => [
    registry,
    {auth: Buffer.from(login).toString('base64')},
  ]);
  const plugins = surroundings.DOCKER_CONFIG === undefined ? [] : [join(surroundings.DOCKER_CONFIG, 'cli-plugins')];
  const configuration = {auths: Object.fromEntries(auths), cliPluginsExtraDirs: plugins};
  mkdirSync(directory, {recursive: true});
  writeFileSync(join(directory, 'config.json'), JSON.stringify(configuration));
}

/** Undefined where the real command line is there; else why a test with it cannot run. */
export function missingDocker(plugin?: 'compose' | 'buildx'): string | undefined {
  const words = plugin === undefined ? ['--version'] : [plugin, 'version'];
  const {status} = spawnSync('docker', words, {env: surroundings, stdio: 'ignore'});
  return status === 0 ? undefined : `there is no "docker ${words.join(' ')}" on this machine`;
}
