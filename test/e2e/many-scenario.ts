import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

/** That many containers of one stack at once: started, listed, asked, logged and removed, by one command each. */
export async function runMany(count: number): Promise<void> {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const names = Array.from({length: count}, (_, index) => `s${index}`);
  // Each has asked the last one for a page when it says its number: all of them are in one network, and at once.
  const last = names.at(-1);
  const server = 'mkdir /www; echo page >/www/index.html; httpd -f -h /www & echo number $$NUMBER; wait';
  const client = `until wget -qO- http://${last}/ 2>/dev/null | grep -q page; do sleep 0.5; done; echo number $$NUMBER; exec sleep 1000`;
  const service = (name: string, index: number) => ({
    image: 'busybox',
    environment: {NUMBER: String(index)},
    command: ['sh', '-c', name === last ? server : client],
    init: true,
  });
  const services = Object.fromEntries(names.map((name, index) => [name, service(name, index)]));
  writeFileSync(join(host.directory, 'compose.yaml'), JSON.stringify({name: 'many', services}));
  const run = async (...args: readonly string[]) => {
    const {code, stdout, stderr} = await host.tscompose(['--progress', 'quiet', ...args], {timeoutMs: 150_000});
    // What is fine with a few (one listener for each, say) may be warned of here.
    expect({command: args[0], code, stderr}).toEqual({command: args[0], code: 0, stderr: ''});
    return stdout.trim().split('\n');
  };

  await run('up', '-d', '--wait');
  const listed = await run('ps', '--format', 'json');
  const running = listed.map((line) => JSON.parse(line) as {readonly Service: string; readonly State: string});
  expect(
    running
      .filter(({State}) => State === 'running')
      .map((one) => one.Service)
      .sort(),
  ).toEqual([...names].sort());
  expect((await run('plan', '--exit-code')).length).toBeGreaterThan(0);
  await expect
    .poll(async () => (await run('logs', '--no-log-prefix')).sort(), {timeout: 120_000, interval: 500})
    .toEqual(names.map((_, index) => `number ${index}`).sort());
  await run('down', '-v', '-t', '1');
  expect(host.leftovers()).toEqual([]);
}
