import {hostname} from 'node:os';
import {expect, it} from 'vitest';
import type {LogConfig} from '../../src/api/types/container.ts';
import {LogReceiver} from './log-receiver.ts';
import {textOf} from './output.ts';
import {describeTargets} from './targets.ts';

/** Nothing that has a message without text, which syslog does not get. */
const speech = ['sh', '-c', 'echo one; sleep 0.1; echo two >&2; echo; printf rest'];

/** What differs from one run to the next: times and the sender's number. */
function plain(message: string): string {
  return message
    .replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/, 'STAMP')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)/, 'MICRO')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)/, 'MOMENT')
    .replace(/\[\d+\]: /, '[PID]: ')
    .replace(/^(<\d+>1 \w+ \S+ \S+) \d+ /, '$1 PID ');
}

const host = hostname();

describeTargets('log drivers', (target) => {
  const withLog = (LogConfig: LogConfig) => ({Cmd: speech, HostConfig: {LogConfig}});

  it.each<[string, Readonly<Record<string, string>>, (id: string) => readonly string[]]>([
    ['unix', {}, (id) => [`<30>STAMP ${id}[PID]: one`, `<27>STAMP ${id}[PID]: two`, `<30>STAMP ${id}[PID]: rest`]],
    [
      'rfc3164',
      {'syslog-format': 'rfc3164', 'syslog-facility': 'local3', tag: 'a b'},
      () => [
        `<158>STAMP ${host} a b[PID]: one`,
        `<155>STAMP ${host} a b[PID]: two`,
        `<158>STAMP ${host} a b[PID]: rest`,
      ],
    ],
    [
      'rfc5424',
      {'syslog-format': 'rfc5424', 'syslog-facility': '0'},
      (id) => [
        `<6>1 MOMENT ${host} ${id} PID ${id} - one`,
        `<3>1 MOMENT ${host} ${id} PID ${id} - two`,
        `<6>1 MOMENT ${host} ${id} PID ${id} - rest`,
      ],
    ],
    [
      'rfc5424micro',
      {'syslog-format': 'rfc5424micro', 'syslog-facility': 'cron', tag: 'x{{ .ID }}'},
      (id) => [
        `<78>1 MICRO ${host} x${id} PID x${id} - one`,
        `<75>1 MICRO ${host} x${id} PID x${id} - two`,
        `<78>1 MICRO ${host} x${id} PID x${id} - rest`,
      ],
    ],
  ])('syslog gets messages of the format %s, and the log is read all the same', async (_, options, expected) => {
    await using receiver = new LogReceiver();
    await receiver.listen();
    const Config = {'syslog-address': receiver.address, ...options};
    const container = await target.run(withLog({Type: 'syslog', Config}));
    await container.wait();
    await expect
      .poll(() => [...receiver.messages].map(plain).sort())
      .toEqual([...expected(container.id.slice(0, 12))].sort());
    expect(await textOf(await container.logs(), 'stdout')).toBe('one\n\nrest');
    expect(await textOf(await container.logs(), 'stderr')).toBe('two\n');
    expect((await container.inspect()).HostConfig?.LogConfig).toEqual({Type: 'syslog', Config});
  });

  it('a tag names the container and its image', async () => {
    await using receiver = new LogReceiver();
    await receiver.listen();
    const tag = '{{.Name}}|{{.FullID}}|{{.ImageName}}|{{.ImageFullID}}|{{.ImageID}}|{{.DaemonName}}';
    const container = await target.run(withLog({Type: 'syslog', Config: {'syslog-address': receiver.address, tag}}));
    await container.wait();
    const {Name = '', Image = ''} = await container.inspect();
    const tagged = [Name.slice(1), container.id, target.image, Image, Image.slice(0, 12), 'docker'].join('|');
    await expect.poll(() => receiver.messages.map(plain)).toContain(`<30>STAMP ${tagged}[PID]: one`);
  });

  it('a long line is sent in parts', async () => {
    await using receiver = new LogReceiver();
    await receiver.listen();
    const LogConfig = {Type: 'syslog', Config: {'syslog-address': receiver.address, tag: 't'}};
    const container = await target.run({Cmd: ['sh', '-c', 'printf "%020000d\\n" 7'], HostConfig: {LogConfig}});
    await container.wait();
    await expect
      .poll(() => receiver.messages.map((message) => message.replace(/^.*?: /, '').length))
      .toEqual([16384, 3616]);
  });

  it('without the file beside it, a log cannot be read', async () => {
    await using receiver = new LogReceiver();
    await receiver.listen();
    const Config = {'syslog-address': receiver.address, 'cache-disabled': 'true'};
    const container = await target.run(withLog({Type: 'syslog', Config}));
    await container.wait();
    await expect(async () => textOf(await container.logs())).rejects.toThrow(/does not support reading/);
    await expect.poll(() => receiver.messages.length).toBe(3);
  });

  it('a receiver that nobody is at keeps a container from starting, and is named', async () => {
    await using receiver = new LogReceiver();
    await receiver.listen();
    const container = await target.create(withLog({Type: 'syslog', Config: {'syslog-address': receiver.address}}));
    await receiver.vanish();
    await expect(container.start()).rejects.toThrow(
      new RegExp(`failed to initialize logging driver: (dial unix|stat) ${receiver.path}: (connect: )?no such file`),
    );
    expect((await container.inspect()).State?.Running).toBe(false);
    await receiver.listen();
    await container.start();
    await container.wait();
    await expect.poll(() => receiver.messages.length).toBe(3);
  });

  it('journald keeps a container from starting where it does not run', async () => {
    const container = await target.create(withLog({Type: 'journald', Config: {}}));
    await expect(container.start()).rejects.toThrow('journald is not enabled on this host');
  });

  it.each([
    ['syslog', {'syslog-address': 'nowhere'}, "unsupported scheme: ''"],
    ['syslog', {'syslog-address': 'gopher://a'}, "unsupported scheme: 'gopher'"],
    ['syslog', {'syslog-address': 'tcp://a:b'}, 'invalid port'],
    ['syslog', {'syslog-facility': 'LOCAL3'}, 'invalid syslog facility'],
    ['syslog', {'syslog-facility': '24'}, 'invalid syslog facility'],
    ['syslog', {'syslog-format': 'rfc1'}, 'Invalid syslog format'],
    ['syslog', {'max-size': '1m'}, 'max-size'],
    ['syslog', {mode: 'sometimes'}, 'logger: logging mode not supported: sometimes'],
    ['syslog', {'max-buffer-size': '1m'}, "logger: max-buffer-size option is only supported with 'mode=non-blocking'"],
    ['syslog', {'cache-disabled': 'perhaps'}, 'invalid value for option cache-disabled: perhaps'],
    ['journald', {'syslog-format': 'rfc3164'}, 'syslog-format'],
    ['nonesuch', {}, 'nonesuch'],
  ])('%s with the options %j is refused', async (Type, Config, message) => {
    await expect(target.create(withLog({Type, Config}))).rejects.toThrow(message);
  });

  it('labels, variables and a tag are in the details of a log', async () => {
    const Config = {labels: 'a.b-c,k', env: 'FOO', 'env-regex': '^_', tag: '{{.ImageName}}!'};
    const container = await target.run({
      Cmd: ['echo', 'one'],
      Labels: {'a.b-c': '<el>', k: `v w"`, other: 'x'},
      Env: ['FOO=bar', '_X=1=2', 'ELSE=y'],
      HostConfig: {LogConfig: {Type: 'json-file', Config}},
    });
    await container.wait();
    const image = encodeURIComponent(target.image);
    expect(await textOf(await container.logs({details: true}))).toBe(
      `FOO=bar,_X=1%3D2,a.b-c=%3Cel%3E,k=v+w%22,tag=${image}%21 one\n`,
    );
  });
});
