import {describe, expect, it} from 'vitest';
import {renderProject} from '../../src/model/render.ts';
import {failure, load} from './memory-files.ts';

const web = 'services: {web: {image: nginx}}\n';

describe('which files', () => {
  it('takes the first of the usual names, and its override', async () => {
    const {project, warnings} = await load({
      '/stack/compose.yml': 'services: {web: {image: lost}}',
      '/stack/compose.yaml': web,
      '/stack/compose.override.yaml': 'services: {web: {hostname: h}}',
      '/stack/docker-compose.override.yml': 'services: {web: {hostname: lost}}',
    });
    expect(project.files).toEqual(['/stack/compose.yaml', '/stack/compose.override.yaml']);
    expect(project.services['web']).toMatchObject({image: 'nginx', hostname: 'h'});
    expect(warnings.map(({message}) => message)).toEqual([
      'found compose.yaml, compose.yml: using compose.yaml',
      'found compose.override.yaml, docker-compose.override.yml: using compose.override.yaml',
    ]);
  });

  it('searches upwards, and resolves paths where the file is', async () => {
    const files = {
      '/stack/compose.yaml': 'services: {web: {image: nginx, volumes: ["./data:/data"], labels: {a: "$A-$B"}}}',
      '/stack/.env': 'A=stack\nB=stack',
      '/stack/sub/deep/.env': 'A=deep',
    };
    const {project} = await load(files, {workingDirectory: '/stack/sub/deep'});
    expect(project.workingDir).toBe('/stack');
    expect(project.name).toBe('stack');
    expect(project.services['web']?.volumes?.[0]?.source).toBe('/stack/data');
    expect(project.services['web']?.labels).toEqual({a: 'deep-stack'});
  });

  it('with -f reads only the environment file beside the first file, and no override', async () => {
    const files = {
      '/stack/.env': 'A=outer',
      '/stack/sub/.env': 'A=inner',
      '/stack/sub/my.yaml': 'services: {web: {image: "x:$A", volumes: ["./d:/d"]}}',
      '/stack/sub/compose.override.yaml': 'services: {web: {hostname: lost}}',
    };
    const {project} = await load(files, {files: ['sub/my.yaml']});
    expect(project.workingDir).toBe('/stack/sub');
    expect(project.services['web']).toMatchObject({image: 'x:inner', volumes: [{source: '/stack/sub/d'}]});
    expect(project.services['web']?.hostname).toBeUndefined();
  });

  it('resolves the paths of every file from the first', async () => {
    const files = {
      '/stack/a/one.yaml': web,
      '/stack/b/two.yaml': 'services: {web: {volumes: ["./d:/d"]}}',
    };
    const {project} = await load(files, {files: ['a/one.yaml', 'b/two.yaml']});
    expect(project.services['web']?.volumes?.[0]?.source).toBe('/stack/a/d');
  });

  it('takes a project directory instead', async () => {
    const {project} = await load(
      {'/stack/a/one.yaml': 'services: {web: {image: "x:$A", volumes: ["./d:/d"]}}', '/other/.env': 'A=other'},
      {files: ['a/one.yaml'], projectDirectory: '/other'},
    );
    expect(project).toMatchObject({workingDir: '/other', name: 'other'});
    expect(project.services['web']).toMatchObject({image: 'x:other', volumes: [{source: '/other/d'}]});
  });

  it('lets COMPOSE_FILE name them, also from an environment file', async () => {
    const files = {
      '/stack/.env': 'COMPOSE_FILE=a.yaml:b.yaml',
      '/stack/a.yaml': web,
      '/stack/b.yaml': 'services: {web: {hostname: b}}',
    };
    expect((await load(files)).project.files).toEqual(['/stack/a.yaml', '/stack/b.yaml']);
    const environment = {COMPOSE_FILE: 'b.yaml,a.yaml', COMPOSE_PATH_SEPARATOR: ','};
    expect((await load(files, {environment})).project.files).toEqual(['/stack/b.yaml', '/stack/a.yaml']);
  });

  it('reads standard input for -', async () => {
    const {loadProject} = await import('../../src/model/load.ts');
    const {memoryFiles} = await import('./memory-files.ts');
    const source = memoryFiles({}, 'services: {web: {image: nginx, volumes: ["./d:/d"]}}');
    const {project} = await loadProject({files: ['-'], workingDirectory: '/here', environment: {}}, source);
    expect(project).toMatchObject({name: 'here', workingDir: '/here', files: ['-']});
    expect(project.services['web']?.volumes?.[0]?.source).toBe('/here/d');
  });

  it('says that there is none', async () => {
    const error = await failure({'/other/compose.yaml': web});
    expect(error).toMatchObject({
      kind: 'notFound',
      message: 'no stack file in /stack or any directory above it',
      hint: 'create a compose.yaml, or name a file with -f',
      exitCode: 65,
    });
    expect(await failure({}, {files: ['gone.yaml']})).toMatchObject({
      kind: 'notFound',
      message: 'cannot read stack file "gone.yaml": no such file',
      exitCode: 65,
    });
    expect(await failure({'/stack/compose.yaml': '# nothing\n'})).toMatchObject({
      kind: 'invalid',
      message: 'the stack file "compose.yaml" is empty',
    });
  });
});

describe('environment', () => {
  const stack = 'services: {web: {image: "x", labels: {a: "$A"}}}';
  const label = async (
    files: Record<string, string>,
    request: Parameters<typeof load>[1],
  ): Promise<string | undefined> =>
    (await load({'/stack/compose.yaml': stack, ...files}, request)).project.services['web']?.labels?.['a'];

  it('the process wins over files, later files over earlier ones', async () => {
    const files = {'/stack/.env': 'A=default', '/stack/one.env': 'A=one\nB=$A', '/stack/two.env': 'A=two'};
    expect(await label(files, {})).toBe('default');
    expect(await label(files, {environmentFiles: ['one.env', 'two.env']})).toBe('two');
    expect(await label(files, {environment: {COMPOSE_ENV_FILES: 'two.env,one.env'}})).toBe('one');
    expect(await label(files, {environmentFiles: ['two.env'], environment: {A: 'process'}})).toBe('process');
  });

  it('a file that was named must be there, the usual one need not', async () => {
    expect(await failure({'/stack/compose.yaml': stack}, {environmentFiles: ['gone.env']})).toMatchObject({
      kind: 'notFound',
      message: 'cannot read environment file "gone.env": no such file',
    });
    expect(await label({}, {})).toBe('');
  });

  it('the usual one can be switched off', async () => {
    expect(await label({'/stack/.env': 'A=default'}, {environment: {COMPOSE_DISABLE_ENV_FILE: '1'}})).toBe('');
  });

  it('warns of a variable that is not set, once, at its place', async () => {
    const {warnings} = await load('services:\n  web:\n    image: "x:$A"\n    hostname: h$A\n');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({code: 'unset-variable', file: 'compose.yaml', line: 3, column: 15, length: 2});
  });
});

describe('project name', () => {
  it.each([
    ['from the directory, made normal', {}, web, '/My App.2', 'myapp2'],
    ['from the file, made normal', {}, `name: "My Shop"\n${web}`, '/stack', 'myshop'],
    ['from the file, interpolated', {environment: {N: 'from-n'}}, `name: $N\n${web}`, '/stack', 'from-n'],
    ['from the environment', {environment: {COMPOSE_PROJECT_NAME: 'env'}}, `name: file\n${web}`, '/stack', 'env'],
    [
      'from -p',
      {projectName: 'flag', environment: {COMPOSE_PROJECT_NAME: 'env'}},
      `name: file\n${web}`,
      '/stack',
      'flag',
    ],
  ])('%s', async (_, request, text, directory, name) => {
    const {project} = await load({[`${directory}/compose.yaml`]: text}, {workingDirectory: directory, ...request});
    expect(project.name).toBe(name);
  });

  it('takes the last of several files', async () => {
    const files = {
      '/stack/a.yaml': `name: a\n${web}`,
      '/stack/b.yaml': 'name: b\nservices: {}',
      '/stack/c.yaml': 'services: {}',
    };
    expect((await load(files, {files: ['a.yaml', 'b.yaml', 'c.yaml']})).project.name).toBe('b');
  });

  it('is known to the files as a variable', async () => {
    const {project} = await load('name: shop\nservices: {web: {image: "$COMPOSE_PROJECT_NAME"}}');
    expect(project.services['web']?.image).toBe('shop');
  });

  it('refuses one that is not normal', async () => {
    expect(await failure(web, {projectName: 'Foo'})).toMatchObject({
      kind: 'invalid',
      message:
        'invalid project name "Foo" (from -p): only lower-case letters, digits, "-" and "_" are allowed, and it must begin with a letter or digit',
      hint: 'use -p foo',
      exitCode: 64,
    });
  });
});

describe('selection', () => {
  const stack = `
services:
  web: {image: x, depends_on: [api], networks: [front]}
  api: {image: x, depends_on: {db: {condition: service_healthy}}, volumes: ["data:/d"]}
  db: {image: x, healthcheck: {test: "true"}}
  debug: {image: x, profiles: [debug], depends_on: [db], secrets: [s]}
networks: {front: , unused: }
volumes: {data: }
secrets: {s: {file: ./s}}
`;
  it('takes what is active', async () => {
    const {project} = await load(stack);
    expect(Object.keys(project.services)).toEqual(['web', 'api', 'db']);
    expect(Object.keys(project.disabledServices)).toEqual(['debug']);
    expect(Object.keys(project.networks)).toEqual(['default', 'front']);
    expect(Object.keys(project.secrets)).toEqual([]);
  });

  it('takes named services with what they depend on, or alone', async () => {
    expect(Object.keys((await load(stack, {services: ['api']})).project.services)).toEqual(['api', 'db']);
    expect(Object.keys((await load(stack, {services: ['api'], dependencies: false})).project.services)).toEqual([
      'api',
    ]);
  });

  it('a named service activates its profile', async () => {
    const {project} = await load(stack, {services: ['debug']});
    expect(Object.keys(project.services)).toEqual(['db', 'debug']);
    expect(Object.keys(project.secrets)).toEqual(['s']);
  });

  it('keeps all resources when asked', async () => {
    const {project} = await load(stack, {services: ['db'], allResources: true});
    expect(Object.keys(project.networks)).toEqual(['default', 'front', 'unused']);
    expect(Object.keys(project.volumes)).toEqual(['data']);
  });

  it('suggests a service', async () => {
    expect(await failure(stack, {services: ['wbe']})).toMatchObject({
      kind: 'notFound',
      message: 'no such service: "wbe"',
      hint: 'did you mean "web"?',
    });
  });
});

describe('sources of configs and secrets', () => {
  const stack = `
services: {web: {image: x, secrets: [s, e], configs: [c]}}
secrets: {s: {file: ./s.txt}, e: {environment: TOKEN}, unused: {file: ./gone}}
configs: {c: {content: "hello $A"}}
`;
  it('are known by digest, never by value in what is printed', async () => {
    const {project} = await load(
      {'/stack/compose.yaml': stack, '/stack/s.txt': 'hush\n'},
      {environment: {TOKEN: 'abc', A: 'x'}},
    );
    expect(project.secrets['s']?.digest).toBe(
      'sha256:7935b0a71b2f43c9114d2f009578bd2901a3f93b9540e59ab2d9d8661216eeaf',
    );
    expect(project.secrets['e']).toMatchObject({environment: 'TOKEN', value: 'abc'});
    expect(project.configs['c']).toMatchObject({content: 'hello x'});
    expect(renderProject(project, 'yaml')).not.toContain('abc');
  });

  it('must be there only where containers are made', async () => {
    expect((await load(stack)).project.secrets['s']?.digest).toBeUndefined();
    const error = await failure(stack, {requireSources: true});
    expect(
      error.diagnostics.filter(({severity}) => severity === 'error').map(({message, line}) => `${line} ${message}`),
    ).toEqual([
      '3 secrets.s: cannot read "s.txt": no such file',
      '3 secrets.e: the environment variable TOKEN is not set',
    ]);
  });
});

describe('env_file', () => {
  it('only counts for services that are taken', async () => {
    const stack = 'services: {web: {image: x}, other: {image: x, env_file: gone.env, profiles: [p]}}';
    expect(Object.keys((await load(stack)).project.services)).toEqual(['web']);
    expect((await failure(stack, {profiles: ['p']})).message).toBe(
      'cannot read environment file "gone.env": no such file',
    );
  });
});

describe('services that run together', () => {
  const stack = `services:
  a: {image: x, ports: ["80:80"], profiles: [one, both]}
  b: {image: x, ports: ["127.0.0.1:80:81"], profiles: [two, both]}
`;
  const told = async (request: Parameters<typeof failure>[1]): Promise<readonly string[]> =>
    (await failure(stack, request)).diagnostics.map(({message, line}) => `${line} ${message}`);

  it('cannot publish the same port', async () => {
    const profiles = ['both'];
    expect(await told({profiles, requireSources: true})).toEqual(['3 services.b: host port 80/tcp is published twice']);
    expect(Object.keys((await load(stack, {profiles: ['one'], requireSources: true})).project.services)).toEqual(['a']);
    expect(Object.keys((await load(stack, {profiles})).project.services)).toEqual(['a', 'b']);
  });

  it.each([
    ['0.0.0.0:80:80', '[::]:80:80'],
    ['127.0.0.1:80:80', '127.0.0.2:80:80'],
    ['80:80/udp', '80:80'],
    ['80-90:80', '80-90:80'],
    ['80', '80'],
  ])('can publish %s and %s', async (a, b) => {
    const text = `services: {a: {image: x, ports: ["${a}"]}, b: {image: x, ports: ["${b}"]}}`;
    expect((await load(text, {requireSources: true})).warnings).toEqual([]);
  });

  it('warns of replicas that want one port', async () => {
    const {warnings} = await load('services: {a: {image: x, scale: 3, ports: ["80:8080"]}}', {requireSources: true});
    expect(warnings.map(({message, hint}) => `${message} (${hint})`)).toEqual([
      'services.a: of 3 containers only one can publish host port 80/tcp (publish a range, like 80-82:8080)',
    ]);
  });
});

describe('problems of variables', () => {
  it('are told before what they lead to', async () => {
    const error = await failure('services: {a: {image: "${A?}", ports: ["${P?}:80"], cpus: nonsense}}');
    expect(error.diagnostics.map(({code}) => code)).toEqual(['required-variable', 'required-variable']);
  });
});
