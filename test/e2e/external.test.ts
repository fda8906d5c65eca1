import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {makeHost} from '../support/host.ts';
import {loadImages} from '../support/test-images.ts';

test('networks and volumes that are made beforehand are used by stacks, and stay when these go', async () => {
  await using host = await makeHost();
  await loadImages(host, ['busybox']);
  writeFileSync(
    join(host.directory, 'compose.yaml'),
    `name: outer
services:
  web: {image: busybox, command: sleep 600, stop_grace_period: 0s, networks: [proxy], volumes: ["letters:/letters"]}
networks: {proxy: {external: true}}
volumes: {letters: {external: true}}
`,
  );
  const run = (...args: readonly string[]) => host.tscompose(args);
  const engine = (line: string) => run('engine', ...line.split(' '));
  const missing = await run('up', '-d');
  expect(missing).toMatchObject({code: 1, stderr: expect.stringContaining('tscompose engine network create proxy')});
  expect(missing.stderr).toContain('tscompose engine volume create letters');

  const created = await engine(
    'network create --subnet 10.213.7.0/24 --gateway 10.213.7.9 --internal --label a=b proxy',
  );
  expect(created).toMatchObject({code: 0, stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/)});
  expect(await engine('volume create letters')).toMatchObject({code: 0, stdout: 'letters\n'});
  expect((await engine('network ls')).stdout).toMatch(/^[0-9a-f]{12} +proxy +bridge +10\.213\.7\.0\/24$/m);
  const listed = await run('engine', 'network', 'ls', '--no-trunc', '--filter', 'label=a', '--format', 'json');
  expect(JSON.parse(listed.stdout)).toEqual({
    ...{CreatedAt: expect.stringMatching(/^20.* \+0000 UTC$/), Driver: 'bridge', ID: created.stdout.trim()},
    ...{IPv4: 'true', IPv6: 'false', Internal: 'true', Labels: 'a=b', Name: 'proxy', Scope: 'local'},
    Subnets: '10.213.7.0/24',
  });
  expect((await engine('network ls -q -f name=proxy')).stdout).toBe(`${created.stdout.slice(0, 12)}\n`);
  expect(await engine('volume ls --format {{.Name}},{{.Size}}')).toMatchObject({stdout: 'letters,N/A\n'});
  expect(await engine('volume ls -q')).toMatchObject({code: 0, stdout: 'letters\n'});
  const [network] = JSON.parse((await engine('network inspect proxy')).stdout) as readonly unknown[];
  expect(network).toMatchObject({
    Name: 'proxy',
    Internal: true,
    IPAM: {Config: [{Subnet: '10.213.7.0/24', Gateway: '10.213.7.9'}]},
    Labels: {a: 'b'},
  });

  const subnet = '{{range .IPAM.Config}}{{.Subnet}}{{end}} {{.Labels.a}} {{.Labels.b}}\\n';
  expect(await run('engine', 'network', 'inspect', '-f', subnet, 'nowhere', 'proxy')).toMatchObject({
    ...{code: 1, stdout: '10.213.7.0/24 b <no value>\\n\n', stderr: 'error: network nowhere not found\n'},
  });
  expect(await engine('volume inspect --format {{.Driver}} letters')).toMatchObject({code: 0, stdout: 'local\n'});
  const some = await engine('volume inspect nothing letters');
  expect(some).toMatchObject({code: 1, stderr: 'error: get nothing: no such volume\n'});
  expect(JSON.parse(some.stdout)).toMatchObject([{Name: 'letters'}]);

  expect((await run('up', '-d')).code).toBe(0);
  expect(await engine('network rm proxy')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot remove network "proxy": 1 container is attached (outer-web-1)'),
  });
  expect((await engine('volume rm letters')).code).toBe(1);
  expect((await run('down', '-v')).code).toBe(0);
  // Where one fails, the others go all the same.
  expect(await engine('network rm nowhere proxy')).toMatchObject({
    code: 1,
    stdout: 'proxy\n',
    stderr: 'error: network nowhere not found\n',
  });
  expect(await engine('volume rm letters')).toMatchObject({code: 0, stdout: 'letters\n'});
  expect(host.leftovers()).toEqual([]);
});

test('addresses of a network that belong nowhere are refused before it is made', async () => {
  await using host = await makeHost();
  const create = (line: string) => host.tscompose(['engine', 'network', 'create', ...line.split(' '), 'net']);
  expect(await create('--gateway 10.213.8.1')).toMatchObject({
    code: 64,
    stderr: 'error: --gateway 10.213.8.1 has no --subnet that it belongs to\nhint: write its --subnet, too\n',
  });
  expect((await create('--subnet 10.213.8.0/24 --subnet 10.213.9.0/24')).code).toBe(64);
  expect((await host.tscompose(['engine', 'network', 'ls', '--format', '{{.Name}}'])).stdout).toBe(
    'bridge\nhost\nnone\n',
  );
});
