import {spawn} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {oracle} from '../../support/oracle/started.mjs';
import {command} from './measure.mjs';

/**
 * Debian's docker-registry over one directory, reached at the same address from the namespace of each engine: a process in each.
 * @param {{program: string, work: string, name: string, port: number}} options
 */
export async function openRegistry({program, work, name, port}) {
  const directory = join(work, name);
  const storage = join(directory, 'storage');
  const host = `127.0.0.1:${port}`;
  const clear = () => {
    rmSync(storage, {recursive: true, force: true});
    mkdirSync(storage, {recursive: true});
  };
  clear();
  const file = join(directory, 'config.yml');
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({
      version: '0.1',
      log: {level: 'error'},
      storage: {filesystem: {rootdirectory: storage}},
      http: {addr: host},
    }),
  );
  const script = '"$@" & served=$!; cat; kill $served; wait';
  const words = ['sh', '-c', script, 'sh', program, 'serve', file];
  const within = [[], [oracle, 'sh']];
  const doors = within.map((before) => {
    const [first, ...rest] = [...before, ...words];
    // It ends with its input, through whatever it was started.
    return spawn(first, rest, {stdio: ['pipe', 'ignore', 'ignore']});
  });
  for (const before of within) {
    const patience = ['--retry', '50', '--retry-connrefused', '--retry-delay', '1'];
    const [first, ...rest] = [...before, 'curl', '-sf', ...patience, `http://${host}/v2/`];
    await command(first, rest);
  }
  return {
    host,
    /** Nothing was ever pushed to it. */
    clear,
    async close() {
      for (const door of doors) {
        door.stdin.end();
        await new Promise((resolve) => (door.exitCode === null ? door.once('close', resolve) : resolve()));
      }
    },
  };
}
