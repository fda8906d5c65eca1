import {describe, expect, it} from 'vitest';
import {hasKind, TscomposeError} from '../../src/base/errors.ts';
import {containerName, lowerNetwork, lowerService, lowerVolume, replicasOf} from '../../src/model/lower.ts';
import {networkSpec, specOf, volumeSpec} from '../../src/model/spec.ts';
import type {Project} from '../../src/model/types.ts';
import {load} from './memory-files.ts';

const files = new Set(['files']);

async function project(text: string, request: Parameters<typeof load>[1] = {}): Promise<Project> {
  return (await load({'/stack/compose.yaml': text, '/stack/s.txt': 'hush'}, request)).project;
}

async function lowered(service: string, top = ''): Promise<ReturnType<typeof lowerService>> {
  return lowerService({
    project: await project(`services:\n  web: ${service}\n${top}`),
    service: 'web',
    replica: 1,
    features: files,
    version: '1.2.3',
  });
}

describe('lowerService', () => {
  it('names and labels a container as Compose does', async () => {
    const stack = await project(
      'name: shop\nservices: {web: {image: nginx, labels: {own: "1"}, depends_on: {db: {condition: service_healthy, restart: true}, q: {condition: service_started}}}, db: {image: x}, q: {image: x}}',
    );
    const {name, body} = lowerService({
      project: stack,
      service: 'web',
      replica: 3,
      features: files,
      version: '1.2.3',
      imageId: 'sha256:abc',
    });
    expect(name).toBe('shop-web-3');
    const {'com.docker.compose.config-hash': hash, 'io.tscompose.spec': spec, ...labels} = body.Labels ?? {};
    expect(labels).toEqual({
      own: '1',
      'com.docker.compose.project': 'shop',
      'com.docker.compose.service': 'web',
      'com.docker.compose.version': '1.2.3',
      'com.docker.compose.project.working_dir': '/stack',
      'com.docker.compose.project.config_files': '/stack/compose.yaml',
      'com.docker.compose.oneoff': 'False',
      'com.docker.compose.container-number': '3',
      'com.docker.compose.depends_on': 'db:service_healthy:true,q:service_started:false',
      'com.docker.compose.image': 'sha256:abc',
    });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(spec ?? '')).toEqual({
      v: 1,
      image: 'nginx',
      labels: {own: '1'},
      networks: {default: {name: 'shop_default'}},
    });
  });

  it('says which environment files were given', async () => {
    const stack = (
      await load(
        {'/stack/compose.yaml': 'services: {web: {image: x}}', '/stack/a.env': '', '/stack/b.env': ''},
        {environmentFiles: ['a.env', 'b.env']},
      )
    ).project;
    const {body} = lowerService({project: stack, service: 'web', replica: 1, features: files, version: '0'});
    expect(body.Labels?.['com.docker.compose.project.environment_file']).toBe('/stack/a.env,/stack/b.env');
  });

  it('carries every attribute of a process', async () => {
    const {body} =
      await lowered(`{image: x, command: [a, b], entrypoint: [e], user: "1:2", group_add: [audio], working_dir: /w, hostname: h,
      domainname: d, init: true, tty: true, stdin_open: true, read_only: true, restart: "on-failure:3", stop_signal: SIGINT,
      stop_grace_period: 1m30s, environment: {A: "1", GONE: }, cap_add: [NET_ADMIN], cap_drop: [ALL], security_opt: ["no-new-privileges:true"],
      ulimits: {nofile: 5, nproc: {soft: 1, hard: 2}}, sysctls: {a.b: 1}, oom_score_adj: 7, dns: 1.1.1.1, dns_search: s, dns_opt: [o],
      extra_hosts: ["h=1.2.3.4", "h=::1"], logging: {driver: json-file, options: {max-size: 1m}}, expose: ["1-2", "3/udp"]}`);
    expect(body).toMatchObject({
      Image: 'x',
      Cmd: ['a', 'b'],
      Entrypoint: ['e'],
      User: '1:2',
      WorkingDir: '/w',
      Hostname: 'h',
      Domainname: 'd',
      Tty: true,
      OpenStdin: true,
      StopSignal: 'SIGINT',
      StopTimeout: 90,
      Env: ['A=1', 'GONE'],
      ExposedPorts: {'1/tcp': {}, '2/tcp': {}, '3/udp': {}},
    });
    expect(body.HostConfig).toMatchObject({
      GroupAdd: ['audio'],
      Init: true,
      ReadonlyRootfs: true,
      RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 3},
      CapAdd: ['NET_ADMIN'],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Ulimits: [
        {Name: 'nofile', Soft: 5, Hard: 5},
        {Name: 'nproc', Soft: 1, Hard: 2},
      ],
      Sysctls: {'a.b': '1'},
      OomScoreAdj: 7,
      Dns: ['1.1.1.1'],
      DnsSearch: ['s'],
      DnsOptions: ['o'],
      ExtraHosts: ['h:1.2.3.4', 'h:::1'],
      LogConfig: {Type: 'json-file', Config: {'max-size': '1m'}},
    });
  });

  it('leaves to the image what the file leaves open, and takes away what it empties', async () => {
    const open = (await lowered('{image: x}')).body;
    expect(open).not.toHaveProperty('Cmd');
    expect(open).not.toHaveProperty('Entrypoint');
    expect((await lowered('{image: x, command: [], entrypoint: []}')).body).toMatchObject({Cmd: [], Entrypoint: []});
  });

  it('carries limits, and deploy wins where it states them', async () => {
    const plain = await lowered(
      '{image: x, cpus: 1.5, mem_limit: 64m, mem_reservation: 32m, memswap_limit: -1, pids_limit: 9, shm_size: 1m}',
    );
    expect(plain.body.HostConfig).toMatchObject({
      NanoCpus: 1_500_000_000,
      Memory: 67_108_864,
      MemoryReservation: 33_554_432,
      MemorySwap: -1,
      PidsLimit: 9,
      ShmSize: 1_048_576,
    });
    const deployed = await lowered(
      '{image: x, restart: always, deploy: {resources: {limits: {cpus: "0.1", memory: 1m, pids: 3}, reservations: {memory: 1k}}, restart_policy: {condition: on-failure, max_attempts: 2}}}',
    );
    expect(deployed.body.HostConfig).toMatchObject({
      NanoCpus: 100_000_000,
      Memory: 1_048_576,
      PidsLimit: 3,
      MemoryReservation: 1024,
      RestartPolicy: {Name: 'on-failure', MaximumRetryCount: 2},
    });
  });

  it('publishes ports', async () => {
    const {body} = await lowered(
      '{image: x, ports: ["8080:80", "127.0.0.1:8081:80", "53:53/udp", "443", "9000-9005:22"]}',
    );
    expect(body.HostConfig?.PortBindings).toEqual({
      '80/tcp': [{HostPort: '8080'}, {HostIp: '127.0.0.1', HostPort: '8081'}],
      '53/udp': [{HostPort: '53'}],
      '443/tcp': [{HostPort: ''}],
      '22/tcp': [{HostPort: '9000-9005'}],
    });
    expect(Object.keys(body.ExposedPorts ?? {})).toEqual(['80/tcp', '53/udp', '443/tcp', '22/tcp']);
  });

  it('mounts', async () => {
    const {body} = await lowered(
      `{image: x, tmpfs: ["/run:size=1m", /tmp], volumes: ["./d:/d:ro", "data:/data", /anon, "./z:/z:z,rslave", {type: tmpfs, target: /t, tmpfs: {size: 1m, mode: 0700}},
        {type: volume, source: data, target: /s, read_only: true, volume: {nocopy: true, subpath: a, labels: {l: "1"}}},
        {type: bind, source: /b, target: /b, bind: {create_host_path: false, propagation: rshared, recursive: readonly}}, {type: bind, source: /c, target: /c}]}`,
      'volumes: {data: {name: real}}',
    );
    expect(body.HostConfig?.Mounts).toEqual([
      {Type: 'bind', Source: '/stack/d', Target: '/d', ReadOnly: true, BindOptions: {CreateMountpoint: true}},
      {Type: 'volume', Source: 'real', Target: '/data', VolumeOptions: {}},
      {Type: 'volume', Target: '/anon', VolumeOptions: {}},
      {Type: 'tmpfs', Target: '/t', TmpfsOptions: {SizeBytes: 1_048_576, Mode: 0o700}},
      {
        Type: 'volume',
        Source: 'real',
        Target: '/s',
        ReadOnly: true,
        VolumeOptions: {NoCopy: true, Subpath: 'a', Labels: {l: '1'}},
      },
      {Type: 'bind', Source: '/b', Target: '/b', BindOptions: {Propagation: 'rshared', ReadOnlyForceRecursive: true}},
      {Type: 'bind', Source: '/c', Target: '/c', BindOptions: {CreateMountpoint: true}},
    ]);
    expect(body.HostConfig?.Binds).toEqual(['/stack/z:/z:rw,z,rslave']);
    expect(body.HostConfig?.Tmpfs).toEqual({'/run': 'size=1m', '/tmp': ''});
  });

  it('joins networks, the one with the highest priority first', async () => {
    const {body} = await lowered(
      '{image: x, networks: {b: {aliases: [w, web]}, a: {ipv4_address: 10.0.0.2, ipv6_address: "fd00::2", mac_address: "02:00:00:00:00:01", gw_priority: 3}, z: {priority: 5}}}',
      'networks: {a: , b: {name: real}, z: }',
    );
    expect(body.HostConfig?.NetworkMode).toBe('stack_z');
    expect(body.NetworkingConfig?.EndpointsConfig).toEqual({
      stack_z: {Aliases: ['stack-web-1', 'web']},
      stack_a: {
        Aliases: ['stack-web-1', 'web'],
        IPAMConfig: {IPv4Address: '10.0.0.2', IPv6Address: 'fd00::2'},
        MacAddress: '02:00:00:00:00:01',
        GwPriority: 3,
      },
      real: {Aliases: ['stack-web-1', 'web', 'w']},
    });
    expect(Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {})).toEqual(['stack_z', 'stack_a', 'real']);
    expect((await lowered('{image: x, network_mode: host}')).body).toMatchObject({
      HostConfig: {NetworkMode: 'host'},
      NetworkingConfig: {EndpointsConfig: {}},
    });
  });

  it('probes', async () => {
    const probe = '{test: "exit 0", interval: 1s, timeout: 2s, retries: 3, start_period: 4s, start_interval: 500ms}';
    expect((await lowered(`{image: x, healthcheck: ${probe}}`)).body.Healthcheck).toEqual({
      Test: ['CMD-SHELL', 'exit 0'],
      Interval: 1e9,
      Timeout: 2e9,
      Retries: 3,
      StartPeriod: 4e9,
      StartInterval: 5e8,
    });
    expect((await lowered('{image: x, healthcheck: {disable: true}}')).body.Healthcheck).toEqual({Test: ['NONE']});
  });

  it('is the same for the same project', async () => {
    const text = '{image: x, environment: {A: "1"}, ports: ["80"], volumes: [/a]}';
    expect(await lowered(text)).toEqual(await lowered(text));
  });
});

describe('configs and secrets', () => {
  const text = `services: {web: {image: x, secrets: [s, {source: e, target: t, uid: "5", gid: "6", mode: 0400}], configs: [c]}}
secrets: {s: {file: ./s.txt}, e: {environment: TOKEN}}
configs: {c: {content: "a: $$1"}}
`;

  it('are placed with owner and mode where the engine can', async () => {
    const stack = await project(text, {environment: {TOKEN: 'abc'}});
    const {body} = lowerService({project: stack, service: 'web', replica: 1, features: files, version: '0'});
    expect(body.HostConfig?.TscomposeFiles).toEqual([
      {Target: '/c', Uid: 0, Gid: 0, Mode: 0o444, Content: Buffer.from('a: $1').toString('base64')},
      {Target: '/run/secrets/s', Uid: 0, Gid: 0, Mode: 0o444, Source: '/stack/s.txt'},
      {Target: '/run/secrets/t', Uid: 5, Gid: 6, Mode: 0o400, Content: Buffer.from('abc').toString('base64')},
    ]);
    expect(JSON.stringify(body.Labels)).not.toContain('abc');
    expect(JSON.parse(body.Labels?.['io.tscompose.spec'] ?? '')).toMatchObject({
      secrets: [
        {source: 's', target: '/run/secrets/s', digest: expect.stringMatching(/^sha256:/)},
        {
          source: 'e',
          target: '/run/secrets/t',
          uid: '5',
          gid: '6',
          mode: 0o400,
          digest: expect.stringMatching(/^sha256:/),
        },
      ],
    });
  });

  it('are read-only bind mounts elsewhere, which takes a file', async () => {
    const stack = await project('services: {web: {image: x, secrets: [s]}}\nsecrets: {s: {file: ./s.txt}}');
    const {body} = lowerService({project: stack, service: 'web', replica: 1, features: new Set(), version: '0'});
    expect(body.HostConfig).toMatchObject({
      Mounts: [{Type: 'bind', Source: '/stack/s.txt', Target: '/run/secrets/s', ReadOnly: true}],
    });
    expect(body.HostConfig).not.toHaveProperty('TscomposeFiles');
    const inline = await project(text, {environment: {TOKEN: 'abc'}});
    expect(() =>
      lowerService({project: inline, service: 'web', replica: 1, features: new Set(), version: '0'}),
    ).toThrow('services.web: configs.c has no file, and this engine can only mount files');
  });

  it('cannot be placed without a value', async () => {
    const stack = await project(text);
    try {
      lowerService({project: stack, service: 'web', replica: 1, features: files, version: '0'});
      expect.unreachable();
    } catch (error) {
      expect(hasKind(error, 'invalid') && error.message).toBe('secrets.e: the environment variable TOKEN is not set');
      expect(error).toBeInstanceOf(TscomposeError);
    }
  });
});

describe('what is compared later', () => {
  const spec = async (service: string, request: Parameters<typeof load>[1] = {}): Promise<unknown> =>
    specOf(await project(`services:\n  web: ${service}\n  db: {image: x}\n`, request), 'web');

  it('states no defaults and nothing that concerns no container', async () => {
    const least = await spec('{image: x}');
    expect(least).toEqual({v: 1, image: 'x', networks: {default: {name: 'stack_default'}}});
    expect(
      await spec(
        '{image: x, scale: 3, depends_on: [db], profiles: [], attach: false, pull_policy: always, environment: {}, ports: [], tty: false, read_only: false, cpus: 0, mem_limit: 0, restart: "no", deploy: {replicas: 3, labels: {a: b}}, healthcheck: {}, command: null, labels: {}, x-own: 1}',
      ),
    ).toEqual(least);
  });

  it('is the same for short and long forms', async () => {
    expect(
      await spec('{image: x, ports: ["127.0.0.1:80:81/udp", "5:6"], volumes: ["./a:/a:ro"], environment: [A=1]}'),
    ).toEqual(
      await spec(
        '{image: x, ports: [{target: 81, published: 80, host_ip: 127.0.0.1, protocol: udp, mode: host}, {target: 6, published: "5"}], volumes: [{type: bind, source: ./a, target: /a, read_only: true}], environment: {A: 1}}',
      ),
    );
  });

  it('differs where the container would', async () => {
    const variants = [
      '{image: x}',
      '{image: y}',
      '{image: x, tty: true}',
      '{image: x, environment: {A: "1"}}',
      '{image: x, environment: {A: }}',
      '{image: x, ports: ["80"]}',
      '{image: x, restart: always}',
    ];
    const seen = new Set(await Promise.all(variants.map(async (variant) => JSON.stringify(await spec(variant)))));
    expect(seen.size).toBe(variants.length);
  });

  it('holds for networks and volumes too', async () => {
    const {networks, volumes} = await project(
      'services: {web: {image: x, networks: [n], volumes: ["data:/d"]}}\nnetworks: {n: {internal: true, ipam: {config: [{subnet: 10.0.0.0/24}]}}}\nvolumes: {data: {driver_opts: {type: tmpfs}}}',
    );
    expect(networks['n'] && networkSpec(networks['n'])).toEqual({
      v: 1,
      internal: true,
      ipam: {config: [{subnet: '10.0.0.0/24'}]},
    });
    expect(volumes['data'] && volumeSpec(volumes['data'])).toEqual({v: 1, driver_opts: {type: 'tmpfs'}});
  });
});

describe('networks and volumes', () => {
  it('are lowered with their labels', async () => {
    const stack = await project(
      `services: {web: {image: x, networks: [n], volumes: ["data:/d"]}}
networks: {n: {driver: bridge, driver_opts: {a: 1}, internal: true, attachable: true, enable_ipv6: true, labels: {l: "1"}, ipam: {driver: default, config: [{subnet: 10.0.0.0/24, ip_range: 10.0.0.0/25, gateway: 10.0.0.1, aux_addresses: {x: 10.0.0.9}}]}}}
volumes: {data: {driver: local, driver_opts: {type: none, o: bind, device: ./there}, labels: {l: "1"}}}
`,
    );
    const network = lowerNetwork({project: stack, key: 'n', version: '1'});
    expect(network).toMatchObject({
      Name: 'stack_n',
      Driver: 'bridge',
      Options: {a: '1'},
      Internal: true,
      Attachable: true,
      EnableIPv6: true,
      IPAM: {
        Driver: 'default',
        Config: [
          {Subnet: '10.0.0.0/24', IPRange: '10.0.0.0/25', Gateway: '10.0.0.1', AuxiliaryAddresses: {x: '10.0.0.9'}},
        ],
      },
    });
    expect(Object.keys(network.Labels ?? {}).sort()).toEqual([
      'com.docker.compose.config-hash',
      'com.docker.compose.network',
      'com.docker.compose.project',
      'com.docker.compose.version',
      'io.tscompose.spec',
      'l',
    ]);
    expect(lowerVolume({project: stack, key: 'data', version: '1'})).toMatchObject({
      Name: 'stack_data',
      Driver: 'local',
      DriverOpts: {type: 'none', o: 'bind', device: '/stack/there'},
      Labels: {l: '1', 'com.docker.compose.volume': 'data', 'com.docker.compose.project': 'stack'},
    });
    expect(() => lowerNetwork({project: stack, key: 'no', version: '1'})).toThrow('no such network: "no"');
    expect(() => lowerVolume({project: stack, key: 'no', version: '1'})).toThrow('no such volume: "no"');
  });

  it('know names and counts', async () => {
    const stack = await project(
      'services: {a: {image: x, container_name: mine}, b: {image: x, scale: 2}, c: {image: x, deploy: {replicas: 0}}}',
    );
    expect(containerName(stack, 'a', 1)).toBe('mine');
    expect(containerName(stack, 'b', 2)).toBe('stack-b-2');
    expect(Object.values(stack.services).map(replicasOf)).toEqual([1, 2, 0]);
  });
});
