import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {type CommandResult, makeHost, type TestHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

const sleeps = 'image: busybox, command: sleep 600, init: true';

/** A stack file, and the commands after it: the last one is the one whose message is shown. */
interface Case {
  readonly stack: string;
  readonly commands?: readonly (readonly string[])[];
}

const up = ['up', '-d'];

const cases: Readonly<Record<string, Case>> = {
  'an image is missing': {stack: 'services:\n  web:\n    image: nginx\n    pull_policy: never\n'},
  'images are missing for several services': {
    stack:
      'services:\n  web:\n    image: nginx\n    pull_policy: never\n  api:\n    image: shop/api\n    pull_policy: never\n  worker:\n    image: shop/api\n    pull_policy: never\n',
  },
  'a Dockerfile is missing': {stack: 'services:\n  web:\n    build: .\n'},
  'the context of a build is missing': {stack: 'services:\n  web:\n    build: ./web\n'},
  'a pull policy is none': {stack: 'services:\n  web:\n    image: busybox\n    pull_policy: monthly\n'},
  'a port is in use': {stack: `services:\n  web: {${sleeps}, ports: ["18097:80"]}\n`},
  'an external network is missing': {
    stack: `services:\n  web: {${sleeps}, networks: [far]}\nnetworks:\n  far:\n    external: true\n`,
  },
  'an external volume is missing': {
    stack: `services:\n  web: {${sleeps}, volumes: ["data:/data"]}\nvolumes:\n  data:\n    external: true\n`,
  },
  'what is mounted is missing': {
    stack: `services:\n  web: {${sleeps}, volumes: [{type: bind, source: ./none, target: /x, bind: {create_host_path: false}}]}\n`,
  },
  'two networks have one subnet': {
    stack: `services:\n  web: {${sleeps}, networks: [a]}\n  api: {${sleeps}, networks: [b]}\nnetworks:\n  a: {ipam: {config: [{subnet: 10.77.0.0/24}]}}\n  b: {ipam: {config: [{subnet: 10.77.0.0/24}]}}\n`,
    commands: [['up', '-d', 'web'], up],
  },
  'an address is outside of its network': {
    stack: `services:\n  web: {${sleeps}, networks: {a: {ipv4_address: 10.99.0.5}}}\nnetworks:\n  a: {ipam: {config: [{subnet: 10.77.0.0/24}]}}\n`,
  },
  'a kernel setting is of the machine': {stack: `services:\n  web: {${sleeps}, sysctls: {kernel.panic: 1}}\n`},
  'a user is unknown': {stack: `services:\n  web: {${sleeps}, user: nobodyknows}\n`},
  'a program is missing': {stack: 'services:\n  web: {image: busybox, command: serve}\n'},
  'a working directory cannot be': {stack: `services:\n  web: {${sleeps}, working_dir: /bin/busybox}\n`},
  'a socket is missing': {
    stack: `services:\n  web: {${sleeps}, volumes: ["./docker.sock:/var/run/docker.sock"]}\n`,
  },
  'a directory is to be mounted onto a file': {
    stack: `services:\n  web: {${sleeps}, volumes: ["./settings.conf:/bin/busybox"]}\n`,
  },
  'a service is not healthy': {
    stack: `services:\n  web: {${sleeps}, healthcheck: {test: "exit 1", interval: 200ms, retries: 1}}\n`,
    commands: [['up', '-d', '--wait', '--wait-timeout', '100']],
  },
  'a dependency fails': {
    stack: `services:\n  web: {${sleeps}, depends_on: {setup: {condition: service_completed_successfully}}}\n  setup: {image: busybox, command: "false"}\n`,
  },
  'a service is not running': {stack: `services:\n  web: {${sleeps}}\n`, commands: [['exec', '-T', 'web', 'true']]},
  'a service is unknown to a command': {stack: `services:\n  web: {${sleeps}}\n`, commands: [['logs', 'wbe']]},
  'an engine does not answer': {
    stack: `services:\n  web: {${sleeps}}\n`,
    commands: [['--host', 'unix:///run/none.sock', 'ps']],
  },
  'a flag is mistyped': {stack: `services:\n  web: {${sleeps}}\n`, commands: [['up', '--detatch']]},
  'a command is mistyped': {stack: `services:\n  web: {${sleeps}}\n`, commands: [['uup']]},
};

async function messageOf(host: TestHost, {stack, commands = [up]}: Case): Promise<string> {
  writeFileSync(join(host.directory, 'compose.yaml'), `name: gallery\n${stack}`);
  const results: CommandResult[] = [];
  for (const command of commands) results.push(await host.tscompose(['--progress', 'quiet', ...command]));
  expect(results.at(-1)?.code).not.toBe(0);
  const text = results.at(-1)?.stderr ?? '';
  const down = await host.tscompose(['down', '-v', '-t', '1']);
  if (down.code !== 0) await host.tscompose(['-p', 'gallery', 'down', '-v', '-t', '1']);
  return text
    .replaceAll(host.directory, '/stack')
    .replaceAll(/\(pid \d+\)/g, '(pid N)')
    .replaceAll(/\b[0-9a-f]{12,64}\b/g, 'ID');
}

test('messages of commands, word by word', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  const listener = spawn(
    'nsenter',
    [
      `--net=/run/netns/${host.namespace}`,
      process.execPath,
      '-e',
      "require('net').createServer().listen(18097, '0.0.0.0', () => console.log('listens'))",
    ],
    {stdio: ['ignore', 'pipe', 'inherit']},
  );
  await once(listener.stdout, 'data');
  const texts: string[] = [];
  try {
    for (const [name, given] of Object.entries(cases)) texts.push(`## ${name}\n\n${await messageOf(host, given)}`);
  } finally {
    listener.kill('SIGKILL');
    await once(listener, 'exit');
  }
  await expect(texts.join('\n')).toMatchFileSnapshot('../cli/gallery/running.txt');
  expect(host.leftovers()).toEqual([]);
});
