import {expect, test} from 'vitest';
import {type Flag, globalFlags} from '../../../src/cli/command.ts';
import {commands} from '../../../src/cli/commands.ts';
import {candidatesFor} from '../../../src/cli/completion/candidates.ts';
import {readTypedLine} from '../../../src/cli/completion/typed-line.ts';
import {type StackNames, valueKinds} from '../../../src/cli/completion/value-kinds.ts';

const named =
  (...words: readonly string[]) =>
  async () =>
    words.map((word) => ({word, about: ''}));
const names: StackNames = {
  services: named('db', 'web', 'worker'),
  profiles: named('debug'),
  environments: named('staging'),
  projects: named('shop', 'blog'),
  images: async () => [{word: 'redis:7', about: '142MB'}],
  replicas: async (services) => [{word: String(services.length), about: services.join()}],
};

async function offered(...words: readonly string[]): Promise<readonly string[]> {
  const candidates = await candidatesFor(readTypedLine(words, commands), commands, names);
  return 'words' in candidates ? [candidates.kind, ...candidates.words.map(({word}) => word)] : [candidates.kind];
}

test.each<readonly [readonly string[], readonly string[]]>([
  [['st'], ['words', 'stats', 'stop', 'start']],
  [
    ['stop', ''],
    ['words', 'db', 'web', 'worker'],
  ],
  [
    ['stop', 'web', 'w'],
    ['words', 'worker'],
  ],
  [
    ['exec', 'w'],
    ['words', 'web', 'worker'],
  ],
  [['exec', 'web', ''], ['words']],
  [
    ['attach', ''],
    ['words', 'db', 'web', 'worker'],
  ],
  [
    ['attach', '--s'],
    ['words', '--sig-proxy=false'],
  ],
  [
    ['attach', 'web', '--index', ''],
    ['words', '1'],
  ],
  [
    ['up', '--scale', 'we'],
    ['nospace', 'web='],
  ],
  [
    ['up', '--scale=we'],
    ['nospace', '--scale=web='],
  ],
  [
    ['up', '--exit-code-from', 'd'],
    ['words', 'db'],
  ],
  [
    ['stats', '--no-stream', '--no-'],
    ['words', '--no-trunc'],
  ],
  [
    ['up', '--scale', 'web=2', '--sc'],
    ['words', '--scale'],
  ],
  [
    ['ps', '--format', ''],
    ['words', 'table', 'json'],
  ],
  // A path in the container is none of this machine.
  [['exec', '--workdir', ''], ['words']],
  [
    ['ps', '--status=e'],
    ['words', '--status=exited'],
  ],
  [
    ['config', '--hash', ''],
    ['words', 'db', 'web', 'worker', '*'],
  ],
  [
    ['--profile', ''],
    ['words', 'debug', '*'],
  ],
  [
    ['--env', ''],
    ['words', 'staging'],
  ],
  [
    ['-p', 's'],
    ['words', 'shop'],
  ],
  [['-f', ''], ['files']],
  [['--project-directory='], ['directories']],
  [
    ['cp', 'w'],
    ['nospace', 'web:', 'worker:'],
  ],
  [['cp', 'web:/etc/hosts', './'], ['files']],
  [['cp', 'web:/etc/hosts', ''], ['files']],
  [
    ['cp', 'hosts', ''],
    ['nospace', 'db:', 'web:', 'worker:'],
  ],
  [['load', ''], ['directories']],
  [['load', '-i', ''], ['files']],
  [['diff', 'a.yaml', ''], ['files']],
  [
    ['completion', ''],
    ['words', 'bash', 'zsh', 'fish'],
  ],
  [
    ['completion', 'bash', ''],
    ['words', '--help'],
  ],
  [
    ['version', '--'],
    ['words', '--format', '--short', '--help'],
  ],
  [
    ['nothing', ''],
    ['words', ...commands.map(({name}) => name).filter((name) => !name.includes(' ')), 'engine', 'registry', 'help'],
  ],
  [
    ['engine', 'ser'],
    ['words', 'serve'],
  ],
  [
    ['engine', 'serve', '--ho'],
    ['words', '--host'],
  ],
  [
    ['service', ''],
    ['words', 'install', 'uninstall', 'status', 'boot'],
  ],
  [
    ['help', 'st'],
    ['words', 'stats', 'stop', 'start'],
  ],
])('%j: %j', async (words, expected) => {
  expect(await offered(...words)).toEqual(expected);
});

/** Values that only their writer can know. */
const free = [
  'BYTES',
  'CAPABILITY',
  'INSTRUCTION',
  'KEY=VALUE',
  'KEYS',
  'LINES',
  'N',
  'NAME',
  'PATH',
  'SECONDS',
  'name=TEXT',
  'TIME',
  'USER',
  'ADDRESS',
  'COMMAND',
  'ARGS',
  'FILTER',
  'PLATFORM',
  'TEXT',
  'NAME:TAG',
  'CONDITION',
  'IMAGE',
  'PASSWORD',
  'REGISTRY',
  'TERM',
  'STAGE',
  'OUTPUT',
  'NAME=VALUE',
  'NAME=PLACE',
  'PLATFORM',
  'MODE',
  'HOST:ADDRESS',
  'SECRET',
  'AGENT',
  'CACHE',
  'MOUNT',
  'RIGHT',
  'LIMIT',
  'CGROUP',
  'STEP',
  'CONTAINER',
  'PORT',
  'SUBNET',
  'RANGE',
  'ADDRESS',
  'DRIVER',
  'NETWORK',
  'VOLUME',
  'PORT/PROTOCOL',
  'SIGNAL',
  'PLATFORMS',
  'ANNOTATION',
  'ATTESTATION',
  'SBOM',
];

test('each kind of value and argument is completed, or is known to be free', () => {
  const flags = [globalFlags, ...commands.map((command) => command.flags)].flatMap((table) =>
    Object.values<Flag>(table).filter(({value, choices}) => value !== undefined && choices === undefined),
  );
  const places = commands.flatMap(({args}) => args.split(' ').filter((word) => word !== ''));
  const kinds = new Set([...flags.map(({value}) => value ?? ''), ...places.map((word) => word.replace(/[[\].]/g, ''))]);
  expect(kinds.size).toBeGreaterThan(15);
  expect([...kinds].filter((kind) => valueKinds[kind] === undefined && !free.includes(kind))).toEqual([]);
});
