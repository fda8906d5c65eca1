import {execFileSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import {type CommandOptions, type CommandResult, eventually, projectDirectory} from '../../support/host.ts';
import {imageArchive} from '../../support/test-images.ts';
import {writeRootArchive} from '../parity/root-archive.mjs';

/** Where the command line runs. */
export interface CommandHost {
  readonly directory: string;
  tscompose(args: readonly string[], options?: CommandOptions): Promise<CommandResult>;
}

/** Makes the stack file of the host's directory. */
export function writeStack(host: CommandHost, text: string): void {
  writeFileSync(join(host.directory, 'compose.yaml'), text);
}

/** The static program that tries things, see try.c. */
function buildTry(host: CommandHost): string {
  const path = join(host.directory, 'try');
  if (!existsSync(path)) {
    execFileSync('cc', ['-static', '-O1', '-o', path, join(projectDirectory, 'test/e2e/attacks/try.c')]);
  }
  return path;
}

/** Loads an image made from the test image's root, changed as told, with the program `try` in it. */
export async function loadHostile(
  host: CommandHost,
  name: string,
  change: (root: string) => void,
  changes: readonly string[] = [],
): Promise<CommandResult> {
  const base = join(host.directory, '.base');
  if (!existsSync(base)) {
    const archive = join(host.directory, '.base.tar');
    writeRootArchive(imageArchive('busybox'), archive);
    mkdirSync(base);
    execFileSync('tar', ['-C', base, '-xf', archive]);
    cpSync(buildTry(host), join(base, 'bin/try'));
  }
  const root = join(host.directory, `.root-${name}`);
  rmSync(root, {recursive: true, force: true});
  execFileSync('cp', ['-a', base, root]);
  change(root);
  const archive = join(host.directory, `${name}.tar`);
  execFileSync('tar', ['-C', root, '-cf', archive, '.']);
  const words = changes.flatMap((line) => ['-c', line]);
  return host.tscompose(['load', '-q', '-i', archive, '--import', name, ...words]);
}

export async function mustLoadHostile(...parameters: Parameters<typeof loadHostile>): Promise<void> {
  const {code, stderr} = await loadHostile(...parameters);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
}

export async function mustUp(
  host: CommandHost,
  words: readonly string[] = [],
  options?: CommandOptions,
): Promise<void> {
  const {code, stderr} = await host.tscompose(['up', '-d', ...words], options);
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
}

/** Runs a command in a service; what it printed, both streams. */
export async function inside(host: CommandHost, service: string, ...words: readonly string[]): Promise<string> {
  const {stdout, stderr} = await host.tscompose(['exec', '-T', service, ...words]);
  return `${stdout}${stderr}`;
}

/** Output of a service whose container ends by itself. */
export async function outputOf(host: CommandHost, service: string): Promise<string> {
  await mustUp(host, ['--no-deps', service]);
  await eventually(async () => {
    const {stdout} = await host.tscompose(['ps', '-a', '--status', 'exited', '-q', service]);
    expect(stdout).not.toBe('');
  }, 30_000);
  const {stdout} = await host.tscompose(['logs', '--no-log-prefix', '--no-color', service]);
  return stdout.replaceAll('\r', '');
}

export async function down(host: CommandHost): Promise<void> {
  const {code, stderr} = await host.tscompose(['down', '-v', '-t', '0', '--remove-orphans']);
  expect({code, stderr: code === 0 ? '' : stderr}).toEqual({code: 0, stderr: ''});
}
