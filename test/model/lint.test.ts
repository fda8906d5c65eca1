import {describe, expect, it} from 'vitest';
import {lintStack} from '../../src/model/lint.ts';
import {memoryFiles} from './memory-files.ts';

async function told(text: string, {strict = false} = {}): Promise<readonly string[]> {
  const request = {workingDirectory: '/stack', environment: {}, profiles: ['*']};
  const found = await lintStack(
    request,
    memoryFiles({'/stack/compose.yaml': text, '/stack/Dockerfile': 'FROM x:1\n'}),
    {strict},
  );
  return found.map(
    ({line, column, code, message, hint}) =>
      `${line}:${column} ${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

const service = 'services: {a: {image: "x:1"}}\n';

describe('lint warns of', () => {
  it.each([
    [
      'ports that YAML reads as numbers of base 60',
      'services:\n  a:\n    image: x:1\n    ports:\n      - 22:22\n      - "23:23"\n      - 127.0.0.1:80:80\n      - 8080:80\n',
      [
        '5:9 base-60: services.a.ports: older readers of YAML take 22:22 for the number 1342 (put it into quotes: "22:22")',
      ],
    ],
    ['a version', `version: "3"\n${service}`, ['1:1 obsolete: "version" has no effect any more (remove the line)']],
    [
      'what nothing uses, whatever its profile',
      'services: {a: {image: "x:1", profiles: [p], volumes: ["used:/x"]}}\nvolumes: {used: , spare: }\nnetworks: {n: , default: }\nconfigs: {c: {content: x}}\nsecrets: {s: {file: f}}\n',
      [
        '2:19 unused: volumes.spare: no service uses it (remove it, or use it)',
        '3:12 unused: networks.n: no service uses it (remove it, or use it)',
        '4:11 unused: configs.c: no service uses it (remove it, or use it)',
        '5:11 unused: secrets.s: no service uses it (remove it, or use it)',
      ],
    ],
    [
      'a volume with a name of one letter',
      'services: {a: {image: "x:1", volumes: ["v:/x", {type: volume, source: v, target: /y}]}}\nvolumes: {v: }\n',
      [
        '1:40 drive-letter: services.a.volumes: Compose takes "v:" for a drive of Windows, not for a volume (give the volume a name of two letters or more, or write the long form)',
      ],
    ],
    [
      'tabs between words, not in texts and comments',
      'services:\n  a:\n    image:\tx:1 # a\tcomment\n    command: [a,\tb]\n    labels: {l: "a\tb"}\n    configs: [c]\nconfigs:\n  c:\n    content: |\n      all: # x\n      \tmake\n#\tend\n',
      [
        '3:11 tab: a tab stands between the words of this line (use spaces)',
        '4:17 tab: a tab stands between the words of this line (use spaces)',
      ],
    ],
    [
      'words that are nearly those that are usually meant',
      'services: {a: {image: "x:1", cap_add: [NET_ADMN, CAP_CHOWN, net_raw], stop_signal: SIGTREM, ulimits: {nofiles: 5, core: 1}}}\n',
      [
        '1:40 unusual-word: services.a.cap_add: "NET_ADMN" is not a capability of the kernel (did you mean "NET_ADMIN"?)',
        '1:84 unusual-word: services.a.stop_signal: "SIGTREM" is not a signal (did you mean "SIGTERM"?)',
        '1:103 unusual-word: services.a.ulimits: "nofiles" is not a limit of the kernel (did you mean "nofile"?)',
      ],
    ],
    [
      'modes and drivers that are nearly those of an engine, not others',
      'services:\n  a: {image: "x:1", network_mode: hosst, logging: {driver: jsonfile}}\n  b: {image: "x:1", network_mode: mine, logging: {driver: loki}, stop_signal: RTMIN+3}\n',
      [
        '2:35 unusual-word: services.a.network_mode: "hosst" is not a mode of the network (did you mean "host"?)',
        '2:60 unusual-word: services.a.logging.driver: "jsonfile" is not a log driver of an engine (did you mean "json-file"?)',
      ],
    ],
    [
      'files that are to be mounted and are not there, which would be made directories',
      'services: {a: {image: "x:1", volumes: ["./app.conf:/etc/app.conf", "./Dockerfile:/x.txt", "./compose.yaml:/c.yaml", "./conf.d:/etc/conf.d", "./.ssh:/root/.ssh", "./v1.data:/data", {type: bind, source: ./no.txt, target: /no.txt, bind: {create_host_path: false}}]}}\n',
      [
        '1:40 missing-file: services.a.volumes: there is no /stack/app.conf: it would be made a directory (create the file, or correct the path)',
      ],
    ],
    [
      'what has no effect outside a swarm',
      'services: {a: {image: "x:1", deploy: {endpoint_mode: vip}}}\n',
      ['1:54 no-effect: services.a.deploy: endpoint_mode: no effect outside a swarm'],
    ],
    [
      'a variable that is not set',
      'services: {a: {image: "x:${TAG}"}}\n',
      [
        '1:26 unset-variable: the variable TAG is not set: it becomes an empty string (set it in .env or the environment, or write ${TAG:-default})',
      ],
    ],
  ])('%s', async (_name, text, warnings) => {
    expect(await told(text)).toEqual(warnings);
  });

  it('images that are others tomorrow, when it is strict', async () => {
    const stack = `services:
  a: {image: x}
  b: {image: "x:latest"}
  c: {image: "registry.test:5000/x"}
  d: {image: "x:1"}
  e: {image: "x@sha256:${'0'.repeat(64)}"}
  f: {image: own, build: .}
`;
    expect(await told(stack)).toEqual([]);
    const hint = '(name a version, or a digest)';
    expect(await told(stack, {strict: true})).toEqual([
      `2:14 latest-tag: services.a.image: "x" is another image tomorrow ${hint}`,
      `3:14 latest-tag: services.b.image: "x:latest" is another image tomorrow ${hint}`,
      `4:14 latest-tag: services.c.image: "registry.test:5000/x" is another image tomorrow ${hint}`,
    ]);
  });

  it('nothing in a stack that is as it should be', async () => {
    expect(await told(service, {strict: true})).toEqual([]);
  });

  it('errors first, all at once, each with what was probably meant', async () => {
    const stack = `version: "3"
services:
  web:
    imagee: x
    restart: allways
    depends_on: [dbb]
    networks: [frnt]
    volumes: ["dta:/x"]
    secrets: [sekret]
    configs: [cnf]
    pull_policy: allways
    environment: {A: "\${HOEM}"}
  db: {image: x, ipc: sharable, depends_on: {web: {condition: service_helthy}}}
networks: {front: }
volumes: {data: {drivr: local}}
secrets: {secret: {fil: x}}
configs: {conf: {content: x}}
`;
    const request = {workingDirectory: '/stack', environment: {HOME: '/'}, profiles: ['*']};
    const found = await lintStack(request, memoryFiles({'/stack/compose.yaml': stack}), {strict: false});
    expect(found.map(({severity, line, hint}) => `${severity} ${line} ${hint}`)).toEqual([
      'error 4 did you mean "image"?',
      'error 5 did you mean "always"?',
      'error 6 did you mean "db"?',
      'error 7 did you mean "front"?',
      'error 8 did you mean "data"?',
      'error 9 did you mean "secret"?',
      'error 10 did you mean "conf"?',
      'error 11 did you mean "always"?',
      'error 13 did you mean "shareable"?',
      'error 13 did you mean "service_healthy"?',
      'error 15 did you mean "driver"?',
      'error 16 did you mean "file"?',
      'warning 1 remove the line',
      'warning 12 did you mean "HOME"?',
    ]);
  });
});

describe('lint reads the Dockerfiles of a stack', () => {
  const stack = (build: string): string => `services:\n  api:\n    image: x:1\n    build: ${build}\n`;
  const found = async (build: string, files: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const request = {workingDirectory: '/stack', environment: {}, profiles: ['*']};
    const all = await lintStack(request, memoryFiles({'/stack/compose.yaml': stack(build), ...files}), {strict: false});
    return all.map(({file, line, column, code, hint}) => `${file}:${line}:${column} ${code} (${hint})`);
  };

  it('with their own places', async () => {
    const files = {'/stack/api/Dockerfile': 'FROM a\n\nCOPY x\n'};
    expect(await found('./api', files)).toEqual(['api/Dockerfile:3:6 missing-argument (write COPY source target)']);
  });

  it('written in the stack itself', async () => {
    expect(await found('{context: ., dockerfile_inline: "FROM a\\nCOPPY a b"}', {})).toEqual([
      'services.api.build.dockerfile_inline:2:1 unknown-instruction (did you mean "COPY"?)',
    ]);
  });

  it('with the arguments of the stack', async () => {
    const files = {'/stack/Dockerfile': 'FROM scratch\nARG PORT=80\nEXPOSE $PORT\n'};
    expect(await found('{context: ., args: {PORT: "80"}}', files)).toEqual([]);
    expect(await found('{context: ., args: {PORT: web}}', files)).toEqual([
      'Dockerfile:3:8 invalid-port (write 8080, or 8080-8090/udp)',
    ]);
  });

  it('and tells of those that are not there, and of stages that they do not have', async () => {
    expect(await found('./api', {})).toEqual([
      'compose.yaml:4:12 no-dockerfile (make it, or say with build.dockerfile where it is)',
    ]);
    const files = {'/stack/Dockerfile': 'FROM a AS debug\nFROM a AS release\n'};
    expect(await found('{context: ., target: relaese}', files)).toEqual([
      'compose.yaml:4:33 unknown-stage (did you mean "release"?)',
    ]);
    expect(await found('https://example.test/repository.git', {})).toEqual([]);
  });
});
