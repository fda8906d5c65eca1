import {randomBytes, randomInt} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {dockerEnvironment, missingDocker} from '../support/docker-cli.ts';
import {eventually, execute, makeHost} from '../support/host.ts';
import {endRegistry} from '../support/own-registry.ts';
import {imageArchive} from '../support/test-images.ts';
import {startCommand} from '../support/watching.ts';

const socket = process.env['TSCOMPOSE_TEST_DOCKER'] ?? '';
const missing = socket === '' ? 'TSCOMPOSE_TEST_DOCKER names no socket of a Docker Engine' : missingDocker();

describe('a Docker Engine and our registry', () => {
  if (missing !== undefined) {
    it.skip(`not run: ${missing}`);
    return;
  }

  it('pushes to it, pulls from it, searches it; what it pushed is an image here', async () => {
    await using host = await makeHost();
    // The engine reaches its own loopback addresses without TLS: the registry has to be there.
    const through = ['/usr/bin/nsenter', `--net=/proc/${engineProcess()}/ns/net`, '--'];
    const port = randomInt(20_000, 30_000);
    await using registry = startCommand(host, ['registry', 'serve', '--listen', `127.0.0.1:${port}`], {through});
    await eventually(() => expect(registry.stdout()).toContain('listening at'));
    const name = `localhost:${port}/team/tsc-${randomBytes(4).toString('hex')}`;
    const docker = async (...args: readonly string[]) => {
      const {code, stdout, stderr} = await execute('docker', args, {env: dockerEnvironment(socket)});
      return {code, stdout, stderr};
    };
    const done = async (...args: readonly string[]) => {
      const result = await docker(...args);
      expect({args, code: result.code, stderr: result.stderr}).toEqual({args, code: 0, stderr: ''});
      return result.stdout;
    };
    try {
      await done('load', '-qi', imageArchive('busybox'));
      await done('tag', 'busybox:latest', `${name}:pushed`);
      const pushed = /digest: (sha256:\w+)/.exec(await done('push', `${name}:pushed`))?.[1];
      const images = JSON.parse((await host.tscompose(['images', '--all', '--format', 'json'])).stdout) as object[];
      expect(JSON.stringify(images)).toContain(name);
      await done('rmi', `${name}:pushed`);
      expect(await done('pull', `${name}:pushed`)).toContain(`Digest: ${pushed}`);
      // Nothing of it is sent a second time.
      await done('tag', `${name}:pushed`, `${name}-again:1`);
      expect(await done('push', `${name}-again:1`)).toMatch(/Mounted from|Layer already exists/);
      expect(await done('search', '--format', '{{.Name}}', name)).toBe(
        `${name.slice(name.indexOf('/') + 1)}\n${name.slice(name.indexOf('/') + 1)}-again\n`,
      );
      expect((await docker('pull', `${name}:none`)).stderr).toContain('manifest unknown');
    } finally {
      const left = (await docker('images', '-q', '--filter', `reference=${name}*`)).stdout.split('\n').filter(Boolean);
      if (left.length > 0) await docker('rmi', `${name}:pushed`, `${name}-again:1`);
    }
    await endRegistry(registry);
    expect(host.leftovers()).toEqual([]);
  });
});

/** The process that serves the socket: its network is where it looks for registries. */
function engineProcess(): string {
  const found = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .find((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words[0]?.endsWith('dockerd') === true && words.includes(`unix://${socket}`);
      } catch {
        return false;
      }
    });
  if (found === undefined) throw new Error(`no dockerd of this machine serves ${socket}`);
  return found;
}
