import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {parsePortRange} from '../../../src/model/attributes/ports.ts';
import {splitShellWords} from '../../../src/model/attributes/shell-words.ts';
import type {Service} from '../../../src/model/types.ts';
import {failure, load} from '../memory-files.ts';

const top = 'volumes: {data: }\nnetworks: {n: , m: }\nsecrets: {s: {environment: S}}\nconfigs: {c: {content: x}}\n';

async function service(attributes: string): Promise<Service> {
  const {project} = await load(`services:\n  web: {image: x, ${attributes}}\n  db: {image: x}\n${top}`, {
    environment: {HOME: '/home/me', FROM: 'outside'},
  });
  return project.services['web'] ?? {};
}

async function refusal(attributes: string): Promise<string> {
  const error = await failure(`services:\n  web: {image: x, ${attributes}}\n  db: {image: x}\n${top}`);
  return error.diagnostics
    .filter(({severity}) => severity === 'error')
    .map(({message}) => message)
    .join('\n');
}

describe('canonical values', () => {
  it.each([
    ['ports: [3000]', {ports: [{target: 3000, protocol: 'tcp', mode: 'ingress'}]}],
    [
      'ports: ["1-2:3-4"]',
      {
        ports: [
          {target: 3, published: '1', protocol: 'tcp', mode: 'ingress'},
          {target: 4, published: '2', protocol: 'tcp', mode: 'ingress'},
        ],
      },
    ],
    ['ports: ["[::1]:1:2"]', {ports: [{target: 2, published: '1', host_ip: '::1', protocol: 'tcp', mode: 'ingress'}]}],
    ['ports: [{target: "5", published: 6}]', {ports: [{target: 5, published: '6', protocol: 'tcp', mode: 'ingress'}]}],
    ['command: a "b c"', {command: ['a', 'b c']}],
    ['command: null', {command: null}],
    ['entrypoint: ""', {entrypoint: []}],
    ['init: "true", tty: "No"', {init: true, tty: false}],
    ['cpus: "0.5", scale: "2"', {cpus: 0.5, scale: 2}],
    ['mem_limit: 1.5k, memswap_limit: "-1"', {mem_limit: 1536, memswap_limit: -1}],
    ['stop_grace_period: 1m30s', {stop_grace_period: 90e9}],
    ['environment: [A=1, FROM, NONE]', {environment: {A: '1', FROM: 'outside', NONE: null}}],
    ['environment: {A: 1.0, B: true, C: }', {environment: {A: '1', B: 'true', C: null}}],
    ['labels: [a, "b=c=d"]', {labels: {a: '', b: 'c=d'}}],
    ['extra_hosts: ["a:::1", "b=[::2]"]', {extra_hosts: {a: ['::1'], b: ['::2']}}],
    [
      'volumes: [~/x:/x]',
      {volumes: [{type: 'bind', source: '/home/me/x', target: '/x', bind: {create_host_path: true}}]},
    ],
    ['volumes: ["data:/a/../b//c/"]', {volumes: [{type: 'volume', source: 'data', target: '/b/c', volume: {}}]}],
    [
      'secrets: [{source: s, target: a/b, mode: "0400"}]',
      {secrets: [{source: 's', target: '/run/secrets/a/b', mode: 0o400}]},
    ],
    ['configs: [c]', {configs: [{source: 'c', target: '/c'}]}],
    ['depends_on: [db]', {depends_on: {db: {condition: 'service_started', required: true}}}],
    ['healthcheck: {test: x y}', {healthcheck: {test: ['CMD-SHELL', 'x y']}}],
    ['ulimits: {nofile: "5"}', {ulimits: {nofile: {soft: 5, hard: 5, single: true}}}],
    ['group_add: [1, a]', {group_add: ['1', 'a']}],
    ['pull_policy: if_not_present', {pull_policy: 'missing'}],
  ])('%s', async (attributes, expected) => {
    expect(await service(attributes)).toMatchObject(expected);
  });

  it('networks come in the order of their priorities', async () => {
    expect(Object.keys((await service('networks: {m: , n: {priority: 1}}')).networks ?? {})).toEqual(['n', 'm']);
    expect((await service('networks: {}')).networks).toEqual({default: null});
    expect((await service('network_mode: none')).networks).toBeUndefined();
  });
});

describe('values that are refused', () => {
  it.each([
    ['ports: ["0"]', 'services.web.ports: container port 0 is out of range'],
    ['ports: ["70000:1"]', 'services.web.ports: host port 70000 is out of range'],
    ['ports: ["x:1:2"]', 'services.web.ports: "x" is not an IP address'],
    ['ports: ["1:2:3:4"]', 'services.web.ports: "1:2:3:4" is not a port'],
    ['ports: [{target: 0}]', 'services.web.ports.target: 0 is not between 1 and 65535'],
    ['ports: [{target: 1, published: x}]', 'services.web.ports.published: "x" is neither a port nor a range of ports'],
    ['expose: [a]', 'services.web.expose: "a" is neither a port nor a range of ports'],
    ['volumes: ["data:x"]', 'services.web.volumes.target: "x" is not an absolute path in the container'],
    ['volumes: ["data:/x:rx"]', 'services.web.volumes: unknown option "rx" in "data:/x:rx"'],
    ['volumes: [{type: bind, target: /x}]', 'services.web.volumes: a bind mount needs a source'],
    ['volumes: [{type: tmpfs, source: a, target: /x}]', 'services.web.volumes: a tmpfs has no source'],
    ['tmpfs: run', 'services.web.tmpfs: "run" does not begin with an absolute path'],
    ['restart: on-failure:x', 'services.web.restart: "on-failure:x" is not a restart policy'],
    ['cap_add: ["CAP NET"]', 'services.web.cap_add: "CAP NET" is not a capability'],
    ['security_opt: [nonsense]', 'services.web.security_opt: "nonsense" is not a security option'],
    ['oom_score_adj: 2000', 'services.web.oom_score_adj: 2000 is not between -1000 and 1000'],
    ['ulimits: {nofile: {soft: 3, hard: 2}}', 'services.web.ulimits: the soft limit 3 is above the hard limit 2'],
    ['healthcheck: {start_interval: 1s}', 'services.web.healthcheck: start_interval needs start_period'],
    ['healthcheck: {interval: -1s}', 'services.web.healthcheck.interval: a duration cannot be negative'],
    ['healthcheck: {test: []}', 'services.web.healthcheck.test: the list is empty'],
    ['secrets: [{source: s, uid: me}]', 'services.web.secrets: uid "me" is not a number'],
    ['secrets: [{source: s, mode: "999"}]', 'services.web.secrets.mode: "999" is not a file mode'],
    ['environment: ["=x"]', 'services.web.environment: "" cannot be the name of a variable'],
    ['extra_hosts: [a]', 'services.web.extra_hosts: "a" has no address'],
    ['scale: -1', 'services.web.scale: a number of replicas is at least 0'],
    ['command: "a (b)"', 'services.web.command: cannot be split into words: it has a parenthesis outside quotes'],
    ['cpus: ""', 'services.web.cpus: "" is not a number'],
    ['mem_limit: -5', 'services.web.mem_limit: a size cannot be negative'],
    ['mem_limit: 1m, mem_reservation: 2m', 'services.web: mem_reservation (2m) is more than mem_limit (1m)'],
    [
      'mem_limit: 2m, memswap_limit: 1m',
      'services.web: memswap_limit (1m) is memory and swap together and cannot be below mem_limit (2m)',
    ],
    [
      'deploy: {restart_policy: {condition: any, max_attempts: 2}}',
      'services.web: max_attempts counts only with the condition on-failure',
    ],
    ['container_name: mine, scale: 2', 'services.web: container_name allows one container, but scale asks for 2'],
    ['volumes: ["data/x:/y"]', 'services.web: the volume "data/x" is not defined'],
  ])('%s', async (attributes, message) => {
    expect(await refusal(attributes)).toBe(message);
  });

  it('are all told at once', async () => {
    expect((await refusal('cpus: x, restart: y, networks: [z], ports: ["a"]')).split('\n')).toHaveLength(4);
  });
});

describe('warnings', () => {
  it.each([
    [
      'command: echo a; echo b',
      'services.web.command is not run by a shell: everything from "; echo b" on is left out',
    ],
    ['init: yes', 'services.web.init: "yes" is an old way to write true'],
    ['secrets: [{source: s, mode: 440}]', 'services.web.secrets.mode: 440 is a decimal number, in octal 0670'],
    ['deploy: {restart_policy: {delay: 1s}}', 'services.web.deploy: restart_policy.delay: no effect outside a swarm'],
  ])('%s', async (attributes, message) => {
    const {warnings} = await load(`services:\n  web: {image: x, ${attributes}}\n${top}`);
    expect(warnings.map((warning) => warning.message)).toEqual([message]);
  });
});

describe('parsePortRange', () => {
  it('reads ports and ranges', () => {
    expect(['80', '80-90', '0', '65535'].map(parsePortRange)).toEqual([
      {first: 80, last: 80},
      {first: 80, last: 90},
      {first: 0, last: 0},
      {first: 65_535, last: 65_535},
    ]);
    expect(['', '-1', '90-80', '65536', 'x', '1-', '1-2-3', ' 1'].map(parsePortRange)).toEqual(
      Array(8).fill(undefined),
    );
  });
});

describe('splitShellWords', () => {
  it.each([
    ['', []],
    ['  a  b ', ['a', 'b']],
    [`"a b" 'c d' e\\ f`, ['a b', 'c d', 'e f']],
    ['a"b"c \'\' ""', ['abc', '', '']],
    ['\'\\n\' "\\n" \\n', ['\\n', 'n', 'n']],
    ['$(a b) `c d`', ['$(a b)', '`c d`']],
    ['a 2>b', ['a']],
  ])('%j', (line, words) => {
    expect(splitShellWords(line)).toMatchObject({ok: true, words});
  });

  it.each([['"a'], ["'a"], ['a\\'], ['(a)'], ['`a']])('refuses %j', (line) => {
    expect(splitShellWords(line).ok).toBe(false);
  });

  it('gives back words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const line = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
        expect(splitShellWords(line)).toEqual({ok: true, words});
      }),
    );
  });
});
