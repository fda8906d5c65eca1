import {expect, test} from 'vitest';
import {bakeFile} from '../../src/model/bake.ts';
import {withBuildChoices} from '../../src/model/build-choices.ts';
import {load} from './memory-files.ts';

const full = `name: pp
services:
  a:
    image: "pp/a:1"
    build:
      context: .
      dockerfile: D
      args: {A: b, EMPTY: null}
      cache_from: [foo/bar, "type=local,src=/tmp/x"]
      cache_to: ["type=inline"]
      no_cache: true
      additional_contexts: {x: "docker-image://busybox", y: ./sub, z: "https://example.com/x.git"}
      pull: true
      extra_hosts: ["h:10.0.0.1", "h6=[::1]"]
      network: host
      target: t
      secrets: [{source: s, target: id2, mode: 0440}, e]
      ssh: [default, "own=./sock"]
      shm_size: 16m
      ulimits: {nofile: {soft: 1, hard: 2}, nproc: 3}
      platforms: [linux/amd64, linux/arm64]
      entitlements: [network.host]
      privileged: true
      provenance: true
      sbom: "true"
secrets: {s: {file: ./s.txt}, e: {environment: HOMEX}}
`;

test('every attribute is as Docker Compose 2.40.3 prints it, but for its version in the labels', async () => {
  const {project} = await load(full, {environment: {HOMEX: 'val'}});
  expect(bakeFile(project, {push: false})).toEqual({
    group: {default: {targets: ['a']}},
    target: {
      a: {
        context: '/stack',
        contexts: {x: 'docker-image://busybox', y: '/stack/sub', z: 'https://example.com/x.git'},
        dockerfile: '/stack/D',
        args: {A: 'b'},
        labels: {'com.docker.compose.project': 'pp', 'com.docker.compose.service': 'a'},
        tags: ['pp/a:1'],
        'cache-from': ['foo/bar', 'type=local,src=/tmp/x'],
        'cache-to': ['type=inline'],
        target: 't',
        secret: ['id=id2,type=file,src=/stack/s.txt', 'id=e,type=env,env=HOMEX'],
        ssh: ['default=', 'own=/stack/sock'],
        platforms: ['linux/amd64', 'linux/arm64'],
        pull: true,
        'no-cache': true,
        network: 'host',
        'shm-size': '16777216',
        ulimits: ['nofile=1:2', 'nproc=3'],
        entitlements: ['network.host', 'security.insecure'],
        'extra-hosts': {h: '10.0.0.1', h6: '::1'},
        output: ['type=image,push=false'],
        attest: ['type=provenance', 'type=sbom'],
      },
    },
  });
});

const two = `name: pp
services:
  a: {image: "pp/a:1", build: {context: ., tags: ["pp/more:2"], additional_contexts: {x: "service:b"}, secrets: [s]}}
  b: {build: {context: ., dockerfile_inline: "FROM busybox", target: t}}
secrets: {s: {file: ./s.txt}}
`;

test('what is built upon comes first, and what has a name of its own is pushed', async () => {
  const {project} = await load(two);
  const labels = (service: string) => ({
    ...{'com.docker.compose.project': 'pp', 'com.docker.compose.service': service},
  });
  const chosen = withBuildChoices(project, {noCache: true, pull: true, arguments: {Q: '1'}, ssh: {default: '/s'}});
  const more = {args: {Q: '1'}, ssh: ['default=/s'], pull: true, 'no-cache': true};
  expect(bakeFile(chosen, {push: true})).toEqual({
    group: {default: {targets: ['b', 'a']}},
    target: {
      a: {
        ...{context: '/stack', contexts: {x: 'target:b'}, dockerfile: '/stack/Dockerfile', labels: labels('a')},
        ...{tags: ['pp/more:2', 'pp/a:1'], secret: ['id=s,type=file,src=/stack/s.txt'], output: ['type=registry']},
        ...more,
      },
      b: {
        ...{context: '/stack', 'dockerfile-inline': 'FROM busybox', labels: labels('b'), tags: ['pp-b'], target: 't'},
        output: ['type=docker'],
        ...more,
      },
    },
  });
});
