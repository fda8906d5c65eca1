import {spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';

const root = join(import.meta.dirname, '../..');
const recorded = JSON.parse(readFileSync(join(root, 'test/recorded/config.json'), 'utf8')) as {
  readonly compose: string;
};

function versionOf(command: string): string | undefined {
  const [program = '', ...words] = command.split(' ');
  const {status, stdout} = spawnSync(program, [...words, 'version', '--short'], {encoding: 'utf8'});
  return status === 0 ? stdout.trim() : undefined;
}

/** What the recordings were made of, without what a packager put behind it. */
const [release = ''] = recorded.compose.split('-');
const commands = [process.env['COMPOSE_COMMAND'] ?? '', 'docker compose', 'docker-compose'].filter(
  (text) => text !== '',
);
const found = commands.find((command) => versionOf(command)?.split('-')[0]?.replace(/^v/, '') === release);

it.skipIf(found === undefined)(
  `Compose ${release} answers as recorded${found === undefined ? ` (not run: it is not installed)` : ''}`,
  {timeout: 900_000},
  () => {
    const {stdout, stderr, status} = spawnSync(process.execPath, ['scripts/record-config.mjs', '--check'], {
      cwd: root,
      env: {...process.env, COMPOSE_COMMAND: found},
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^\d{3,} cases asked, 0 are answered otherwise/);
    expect(status).toBe(0);
  },
);
