import {expect, test} from 'vitest';
import {checkAgents} from '../../../src/cli/build/check-agents.ts';
import {serviceBuilds} from '../../../src/model/lower-build.ts';
import {load} from '../../model/memory-files.ts';

async function check(ssh: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const {project} = await load({
    '/stack/compose.yaml': `services:\n  web:\n    build:\n      context: .\n      ssh: ${ssh}\n`,
  });
  for (const build of serviceBuilds(project)) checkAgents({env}, project, build);
}

test('what is there will do', async () => {
  await check('[default, own=/dev/null]', {SSH_AUTH_SOCK: '/dev/null'});
});

test.each<readonly [string, Readonly<Record<string, string>>, string, string, number]>([
  [
    '[default]',
    {},
    'services.web: its build wants an agent for keys ("default"), and none runs: SSH_AUTH_SOCK is not set',
    'start one: eval "$(ssh-agent)"',
    13,
  ],
  [
    'default',
    {SSH_AUTH_SOCK: '/nowhere/agent'},
    'services.web: its build wants an agent or a key ("default"), and there is no /nowhere/agent',
    'SSH_AUTH_SOCK says so: start an agent anew',
    12,
  ],
  [
    '{own: ./key}',
    {},
    'services.web: its build wants an agent or a key ("own"), and there is no /stack/key',
    'name the socket of an agent, or the file of a key',
    18,
  ],
])('ssh: %s with %o is told with its place', async (ssh, env, message, hint, column) => {
  await expect(check(ssh, env)).rejects.toMatchObject({
    ...{kind: 'notFound', message, hint},
    diagnostics: [{message, hint, file: 'compose.yaml', line: 5, column, excerpt: `      ssh: ${ssh}`}],
  });
});
