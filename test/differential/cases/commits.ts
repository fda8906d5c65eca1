import type {ContainerConfig} from '../../../src/api/types/container.ts';
import type {CommitOptions} from '../../../src/client/container.ts';
import {type Cases, containerOf, type Step} from '../case.ts';
import {portableTime} from '../describe.ts';
import {linesOf} from '../lines.ts';
import {ask, changes, create, exec, line, look, pause, remove, run, running, start, unpause, wait} from '../steps.ts';

/** As `@made:of`, unless the options say something else. */
function commit(options: CommitOptions = {}, name = 'it'): Step {
  return {
    label: name === 'it' ? 'commit' : `commit ${name}`,
    async run(world) {
      const {Id} = await containerOf(world, name).commit(world.fill({repo: '@made', tag: 'of', ...options}));
      world.images.add(Id);
      return [/^sha256:[0-9a-f]{64}$/.test(Id) ? 'an id' : Id];
    },
  };
}

/** Sizes and digests are each engine's own; how many layers there are is not. */
const inspectImage = (name = '@made:of') =>
  ask(`inspect image ${name}`, async ({bench, fill}) => {
    const image = await bench.docker.getImage(fill(name)).inspect();
    const lines = linesOf({...image, RootFS: {...image.RootFS, Layers: image.RootFS.Layers.length}});
    return lines
      .filter((text) => !/^(?:Size|VirtualSize|GraphDriver\.|Descriptor\.|Metadata\.)/.test(text))
      .map((text) =>
        portableTime(text.replace(/^(Container|Parent|Config\.Image|ContainerConfig\.Image) ".+"/, '$1 <id>')),
      );
  });

const plain = () => [create({Cmd: ['true']}), commit(), inspectImage()];
const changed = (...lines: readonly string[]) => [create({Cmd: ['true']}), commit({changes: lines}), inspectImage()];
const configured = (config: ContainerConfig) => [create({Cmd: ['true']}), commit({config}), inspectImage()];
/** What it says of a container, made again from the image. */
const again = (text: string) => run({Image: '@made:of', Cmd: ['sh', '-c', text]}, 'again');

const settings: Cases = {
  'one that was only made': plain(),
  'what was asked for is kept': [
    create({
      Cmd: ['one', 'two'],
      Entrypoint: ['echo'],
      Env: ['A=1', 'B='],
      User: '12:34',
      WorkingDir: '/tmp',
      Labels: {a: 'b'},
      ExposedPorts: {'80/tcp': {}, '53/udp': {}},
      Volumes: {'/data': {}},
      Hostname: 'box',
      Domainname: 'example.org',
      Tty: true,
      OpenStdin: true,
      StopSignal: 'SIGINT',
      StopTimeout: 7,
      Healthcheck: {Test: ['CMD', 'true'], Interval: 3_600_000_000_000, Retries: 2},
    }),
    commit(),
    inspectImage(),
  ],
  'an author and a comment': [
    create(),
    commit({author: 'A. Uthor <a@example.org>', comment: 'why not'}),
    inspectImage(),
  ],
  'changes of each kind': changed(
    'CMD ["new", "command"]',
    'ENTRYPOINT ["sh", "-c"]',
    'ENV A=1 B="two words"',
    'EXPOSE 80 53/udp',
    'LABEL a=b "c d"="e f"',
    'USER 1:2',
    'VOLUME /data /more',
    'WORKDIR /made',
    'STOPSIGNAL SIGUSR2',
    'HEALTHCHECK --interval=5s --retries=3 CMD true',
  ),
  'an instruction for later builds': changed('ONBUILD RUN true'),
  'an entrypoint after a command': changed('CMD ["kept"]', 'ENTRYPOINT ["x"]'),
  'a command of the shell': changed('CMD echo hello $HOME'),
  'an entrypoint of the shell': changed('ENTRYPOINT exec top'),
  'no check of health': changed('HEALTHCHECK NONE'),
  'a relative directory': changed('WORKDIR /a', 'WORKDIR b'),
  'a variable of the older form': changed('ENV A some words'),
  'small letters': changed('cmd ["x"]', 'label a=b'),
  'a change of the whole file system': changed('RUN true'),
  'a change that copies': changed('COPY a b'),
  'a change of the base': changed('FROM scratch'),
  'a change that is none': changed('NOTHING x'),
  'a change without words': changed('CMD'),
  'an empty change': changed(''),
  'a port that is none': changed('EXPOSE http'),
  'a label without a value': changed('LABEL a'),
  'a configuration beside': configured({
    Cmd: ['beside'],
    Env: ['C=3'],
    Labels: {c: 'd'},
    User: 'nobody',
    WorkingDir: '/x',
  }),
  'a configuration over what was asked for': [
    create({Cmd: ['one'], Env: ['A=1', 'B=1'], Labels: {a: 'b', c: 'd'}, ExposedPorts: {'80/tcp': {}}}),
    commit({config: {Env: ['B=2'], Labels: {c: 'e'}, ExposedPorts: {'81/tcp': {}}}}),
    inspectImage(),
  ],
  'a configuration and changes': [
    create({Cmd: ['one'], Env: ['A=1']}),
    commit({config: {Env: ['A=2'], Cmd: ['beside']}, changes: ['ENV A=3', 'CMD ["changed"]']}),
    inspectImage(),
  ],
  'what the image said is kept': [create({Image: 'health'}), commit(), inspectImage()],
  'the command of the image goes with a new entrypoint': [
    create({Image: 'entry', Entrypoint: ['cat']}),
    commit(),
    inspectImage(),
  ],
};

const names: Cases = {
  'without a name': [create(), commit({repo: undefined, tag: undefined})],
  'a name without a tag': [create(), commit({tag: undefined}), inspectImage('@made')],
  'a name of capitals': [create(), commit({repo: 'UPPER'})],
  'a tag that is none': [create(), commit({tag: '-x'})],
  'a tag in the name': [create(), commit({repo: '@made:in', tag: undefined}), inspectImage('@made:in')],
  'a name twice': [create(), commit(), line('touch /new', {}), commit(), inspectImage()],
};

const files: Cases = {
  'files that were made, changed and removed': [
    ...line(
      'umask 022; mkdir /new; echo x >/new/f; chmod 4711 /new/f; chown 7:8 /new; echo y >>/etc/passwd; rm -r /etc/group; ln -s f /new/l',
    ),
    changes(),
    commit(),
    inspectImage(),
    ...again('stat -c "%n %F %a %u:%g" /new /new/f /new/l; tail -n 1 /etc/passwd; ls /etc/group'),
  ],
  'a directory that was made anew': [
    ...line('mkdir /d; touch /d/one'),
    commit(),
    ...run({Image: '@made:of', Cmd: ['sh', '-c', 'rm -r /d; mkdir /d; touch /d/two']}, 'second'),
    commit({tag: 'second'}, 'second'),
    ...run({Image: '@made:second', Cmd: ['ls', '/d']}, 'third'),
    inspectImage('@made:second'),
  ],
  'what is mounted is left out': [
    ...line('echo x >/v/f; echo y >/m/f; echo z >/f', {HostConfig: {Binds: ['@data:/v'], Tmpfs: {'/m': ''}}}),
    commit(),
    ...again('ls /v /m /f'),
  ],
  'files of the engine are left out': [...line('true'), commit(), ...again('true'), inspectImage()],
};

const lives: Cases = {
  'one that runs': [...running(), commit(), look()],
  'one that runs on': [...running(), commit({pause: false}), look()],
  'one that is paused': [...running(), pause(), commit(), look(), unpause()],
  'one that has ended': [...line('exit 3'), commit(), look()],
  'one that is gone': [...line('true'), remove(), commit()],
  'the image is used by its container': [
    ...[create(), commit(), create({Image: '@made:of'}, 'again')],
    ask('remove image', async ({bench, fill}) => void (await bench.docker.getImage(fill('@made:of')).remove())),
  ],
  'the container starts from what it was': [
    ...[create({Cmd: ['sh', '-c', 'echo run >>/count; cat /count']}), start(), wait(), commit(), start(), wait()],
    ...run({Image: '@made:of'}, 'again'),
  ],
  'a command in one that runs is seen': [
    ...[running(), exec({Cmd: ['touch', '/by-command']}), commit()].flat(),
    ...again('ls /by-command'),
  ],
};

export const commits: Cases = {...settings, ...names, ...files, ...lives};
