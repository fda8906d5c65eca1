import {expect, test} from 'vitest';
import {refuseLimits} from '../../../src/model/limits.ts';
import {lowerService} from '../../../src/model/lower.ts';
import {specOf} from '../../../src/model/spec.ts';
import type {Project} from '../../../src/model/types.ts';
import {failure, load} from '../memory-files.ts';

const stack = (...options: readonly string[]): string =>
  `services: {web: {image: x, security_opt: ${JSON.stringify(options)}}}`;
const lowered = (project: Project, service = 'web') =>
  lowerService({project, service, replica: 1, features: new Set(['files']), version: '0'}).body.HostConfig;

const written =
  '{ "defaultAction" : "SCMP_ACT_ALLOW",\n\t"syscalls": [ {"name": "a b", "args": [{"value": 18446744073709551615}]} ] }\n';
const sent = '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a b","args":[{"value":18446744073709551615}]}]}';

test.each([
  ['seccomp=./p.json', '/stack/p.json'],
  ['seccomp:p.json', '/stack/p.json'],
  ['seccomp=/etc/p.json', '/etc/p.json'],
  ['seccomp=~/p.json', '/home/me/p.json'],
])('a profile is sent as it is written, without the blanks: %s', async (option, path) => {
  const files = {'/stack/compose.yaml': stack('no-new-privileges', option), [path]: written};
  const {project} = await load(files, {environment: {HOME: '/home/me'}, requireSources: true});
  expect(lowered(project)?.SecurityOpt).toEqual(['no-new-privileges', `seccomp=${sent}`]);
  expect(() => refuseLimits(project, new Set(['files']))).not.toThrow();
});

test('paths begin where the project does, also those of an included file', async () => {
  const {project} = await load({
    '/stack/compose.yaml': 'include: [sub/compose.yaml]',
    '/stack/sub/compose.yaml': stack('seccomp=p.json'),
    '/stack/p.json': '{"here": true}',
    '/stack/sub/p.json': '{"there": true}',
  });
  expect(lowered(project)?.SecurityOpt).toEqual(['seccomp={"here":true}']);
});

test('another content makes another container, other blanks do not', async () => {
  const specWith = async (content: string) => {
    const {project} = await load({'/stack/compose.yaml': stack('seccomp=p.json'), '/stack/p.json': content});
    return specOf(project, 'web')['security_opt'];
  };
  const one = await specWith('{"a": 1}');
  expect(one).toEqual([expect.stringMatching(/^seccomp=p\.json@sha256:[0-9a-f]{64}$/)]);
  expect(await specWith('{ "a":1 }')).toEqual(one);
  expect(await specWith('{"a": 2}')).not.toEqual(one);
});

test('a file that is missing, or no JSON, is told with its place where it is needed', async () => {
  const missing = await failure(stack('seccomp=p.json'), {requireSources: true});
  expect(missing.diagnostics[0]).toMatchObject({
    message: 'services.web.security_opt[0]: cannot read seccomp profile "p.json": no such file',
    line: 1,
  });
  const files = {'/stack/compose.yaml': stack('label=disable', 'seccomp=p.json'), '/stack/p.json': '{'};
  expect((await failure(files, {requireSources: true})).message).toContain(
    'services.web.security_opt[1]: the seccomp profile "p.json" is not JSON',
  );
  const {project} = await load(stack('seccomp=p.json'));
  expect(() => lowered(project)).toThrow('services.web.security_opt: cannot read the seccomp profile "p.json"');
});

test('what is no file is sent as it is; unconfined paths of the kernel are empty lists', async () => {
  const {project} = await load(
    stack('seccomp=unconfined', 'seccomp:builtin', 'systempaths=unconfined', 'label=disable'),
  );
  expect(lowered(project)).toMatchObject({
    SecurityOpt: ['seccomp=unconfined', 'seccomp:builtin', 'label=disable'],
    MaskedPaths: [],
    ReadonlyPaths: [],
  });
  expect(lowered((await load(stack('no-new-privileges'))).project)).not.toHaveProperty('MaskedPaths');
});
