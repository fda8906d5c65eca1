import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {projectDirectory} from '../support/host.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsc-stack-'));
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  write(
    'compose.yaml',
    'name: shop\nservices:\n  web:\n    image: web:${TAG:-1}\n    environment: {MODE: dev, API_KEY: "${KEY}"}\n    ports: ["80:80"]\n',
  );
  write('compose.staging.yaml', 'services:\n  web: {environment: {MODE: staging}}\n');
  write('compose.production.yaml', 'services:\n  web: {environment: {MODE: production}, scale: 2}\n');
  write('.env', 'KEY=local\nTAG=0\n');
  write('.env.production', 'KEY=very-secret\nTAG=2\n');
  write('bad.yaml', 'services: {a: {imagee: x}}\n');
  write('old.yaml', 'version: "3"\nservices: {a: {image: x}}\n');
  write('swarm.yaml', 'version: "3"\nservices: {a: {image: x, deploy: {placement: {constraints: [a]}}}}\n');
  write('built.yaml', 'name: shop\nservices: {a: {image: "x:1", build: {context: ., cache_from: ["type=gha"]}}}\n');
  write('good.yaml', 'services: {a: {image: "x:1"}}\n');
});

afterAll(() => rmSync(directory, {recursive: true, force: true}));

function run(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const {stdout, stderr, status} = spawnSync(join(projectDirectory, 'dist/cli.cjs'), words, {
    cwd: directory,
    env: {PATH: process.env['PATH'] ?? '', XDG_CACHE_HOME: join(directory, 'cache'), ...env},
    encoding: 'utf8',
  });
  return {stdout, stderr, status};
}

function config(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const {stdout} = run([...words, 'config', '--format', 'json'], env);
  const {services} = JSON.parse(stdout) as {
    readonly services: Readonly<
      Record<string, {readonly image: string; readonly environment: Readonly<Record<string, string>>}>
    >;
  };
  return {image: services['web']?.image, ...services['web']?.environment};
}

describe('an environment', () => {
  it('is the stack file and .env with those of its name on top', () => {
    expect(config([])).toEqual({image: 'web:0', MODE: 'dev', API_KEY: 'local'});
    expect(config(['--env', 'staging'])).toEqual({image: 'web:0', MODE: 'staging', API_KEY: 'local'});
    expect(config(['--env', 'production'])).toEqual({image: 'web:2', MODE: 'production', API_KEY: 'very-secret'});
  });

  it('is given by TSCOMPOSE_ENV, too; the flag wins over it, and the shell over all files', () => {
    expect(config([], {TSCOMPOSE_ENV: 'production'})).toMatchObject({MODE: 'production'});
    expect(config(['--env', 'staging'], {TSCOMPOSE_ENV: 'production'})).toMatchObject({MODE: 'staging'});
    expect(config(['--env', 'production'], {TAG: 'shell'})).toMatchObject({image: 'web:shell'});
  });

  it('that is not there is refused, with those that are', () => {
    expect(run(['--env', 'prod', 'config'])).toEqual({
      stdout: '',
      stderr: `error: there is no environment "prod": neither compose.prod.yaml nor .env.prod is in ${directory}\nhint: there is "staging", "production"\n`,
      status: 65,
    });
    expect(run(['--env', '../x', 'config'])).toMatchObject({status: 64, stderr: expect.stringContaining('"../x"')});
  });

  it('is compared with another one, or with none', () => {
    const {stdout, status} = run(['diff', '--env', 'staging', '--env', 'production', '--exit-code']);
    expect(status).toBe(2);
    expect(stdout).toContain('images\n  services.web.image\n    - web:0\n    + web:2\n');
    expect(stdout).toContain('replicas\n  services.web.scale\n    + 2\n');
    expect(stdout).not.toContain('very-secret');
    expect(run(['diff', '--env', 'staging']).stdout).toMatch(/^- no environment\n\+ staging\n/);
    const json = run(['diff', '--env', 'staging', '--env', 'production', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      before: 'staging',
      after: 'production',
      differences: expect.arrayContaining([
        {group: 'image', path: 'services.web.image', before: 'web:0', after: 'web:2'},
        {group: 'other', path: 'services.web.environment.API_KEY', before: '********', after: '********', masked: true},
      ]),
    });
    expect(run(['diff', '--env', 'staging', '--env', 'staging', '--exit-code'])).toMatchObject({status: 0});
  });
});

describe('config --explain', () => {
  it('tells of each value where it came from, and through what', () => {
    expect(run(['--env', 'production', 'config', '--explain', 'services.web'])).toEqual({
      stderr: '',
      status: 0,
      stdout: `services.web.environment.API_KEY: very-secret  compose.yaml:5:39
    variable KEY from .env.production:1:1
services.web.environment.MODE: production      compose.production.yaml:2:29
    in place of dev at compose.yaml:5:25
services.web.image: web:2                      compose.yaml:4:12
    variable TAG from .env.production:2:1
services.web.networks.default: null            default
services.web.ports[0].mode: ingress            compose.yaml:6:13
services.web.ports[0].target: 80               compose.yaml:6:13
services.web.ports[0].published: 80            compose.yaml:6:13
services.web.ports[0].protocol: tcp            compose.yaml:6:13
services.web.scale: 2                          compose.production.yaml:2:49
`,
    });
  });

  it('shows a sign for what a terminal would act on', () => {
    writeFileSync(join(directory, 'evil.yaml'), 'services: {a: {image: "x\\e[2J\\u009bmy"}}\n');
    expect(run(['-f', 'evil.yaml', 'config', '--explain', 'services.a.image']).stdout).toBe(
      'services.a.image: x\ufffd[2J\ufffdmy  evil.yaml:1:23\n',
    );
    const {stdout} = run(['-f', 'evil.yaml', 'config', '--explain', 'services.a.image', '--format', 'json']);
    expect(stdout).toContain('"x\\u001b[2J\\u009bmy"');
  });

  it('suggests a path, and answers as JSON', () => {
    expect(run(['config', '--explain', 'services.web.imge'])).toMatchObject({
      stderr: 'error: there is no value at services.web.imge\nhint: did you mean "image"?\n',
    });
    // Behind a dot, which a completion may have left, there is nothing: no origin is made up.
    expect(run(['config', '--explain', 'services.web.environment.'])).toMatchObject({
      stdout: '',
      stderr: 'error: there is no value at services.web.environment.\nhint: there is API_KEY, MODE\n',
    });
    const {stdout} = run(['config', '--explain', 'services.web.image', '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        path: 'services.web.image',
        value: 'web:0',
        place: {line: 4, column: 12},
        steps: [{kind: 'variable', name: 'TAG'}],
      },
    ]);
  });
});

describe('lint', () => {
  it('ends with 65 for errors, with 1 for warnings, and with 0 for nothing', () => {
    expect(run(['-f', 'good.yaml', 'lint'])).toEqual({stdout: 'no problems\n', stderr: '', status: 0});
    expect(run(['-f', 'old.yaml', 'lint'])).toMatchObject({status: 1, stdout: expect.stringMatching(/\n1 warning\n$/)});
    expect(run(['-f', 'old.yaml', 'lint', '--strict'])).toMatchObject({
      status: 65,
      stdout: expect.stringMatching(/\n2 warnings\n$/),
    });
    expect(run(['-f', 'bad.yaml', 'lint'])).toMatchObject({status: 65, stdout: expect.stringMatching(/\n1 error\n$/)});
  });

  it('answers as JSON for tools', () => {
    const {stdout, status} = run(['-f', 'bad.yaml', 'lint', '--format', 'json']);
    expect(status).toBe(65);
    expect(JSON.parse(stdout)).toEqual({
      errors: 1,
      warnings: 0,
      problems: [
        {
          severity: 'error',
          code: 'unknown-key',
          message: 'services.a: unknown attribute "imagee"',
          hint: 'did you mean "image"?',
          file: 'bad.yaml',
          line: 1,
          column: 16,
          excerpt: 'services: {a: {imagee: x}}',
          length: 6,
        },
      ],
    });
  });
});

describe('build', () => {
  it('prints the builds as bake reads them, with what the flags say of all of them', () => {
    const words = ['-f', 'built.yaml', 'build', '--print', '--push', '--no-cache', '--pull', '--build-arg', 'A=b'];
    const {stdout, status} = run(words);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      group: {default: {targets: ['a']}},
      target: {a: {args: {A: 'b'}, 'no-cache': true, pull: true, output: ['type=registry']}},
    });
  });

  it.each([
    [['--memory', '1g'], '--memory is not supported: steps of builds have no limit of their own'],
    [['--builder', 'mine'], '--builder is not supported: there is one builder, in this program'],
    [[], 'services.a.build.cache_from'],
  ])('refuses %j by name', (flags, message) => {
    const {stderr, status} = run(['-f', 'built.yaml', 'build', ...flags]);
    expect({status, isTold: stderr.includes(message), stderr}).toMatchObject({status: 65, isTold: true});
  });
});

describe('what does nothing in a stack file', () => {
  const own = () => ({TSCOMPOSE_ROOT: join(directory, 'root'), TSCOMPOSE_RUN: join(directory, 'run')});

  it('is told by commands that do what the file says', () => {
    const {stderr} = run(['-f', 'swarm.yaml', 'config', '-q']);
    expect(stderr).toContain('"version" has no effect any more');
    expect(stderr).toContain('placement: no effect outside a swarm');
  });

  it.each(['ps', 'stop', 'logs'])('is not told by each look at what exists: %s', (command) => {
    expect(run(['-f', 'swarm.yaml', command], own())).toMatchObject({stderr: '', status: 0});
  });
});
