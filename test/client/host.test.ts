import {describe, expect, it} from 'vitest';
import {addressOfOptions, formatAddress, parseHost} from '../../src/client/host.ts';

describe('parseHost', () => {
  it.each([
    ['unix:///run/docker.sock', 'unix:///run/docker.sock'],
    ['tcp://10.0.0.1:2376', 'tcp://10.0.0.1:2376'],
    ['tcp://build.example', 'tcp://build.example:2375'],
    ['tcp://[fd00::1]:80/', 'tcp://[fd00::1]:80'],
    ['http://localhost:8080', 'tcp://localhost:8080'],
  ])('reads %s', (text, formatted) => {
    expect(formatAddress(parseHost(text))).toBe(formatted);
  });

  it.each([
    ['docker.sock', 'invalid', 'engine address "docker.sock": expected unix:///path or tcp://host:port'],
    ['unix://docker.sock', 'invalid', 'engine address "unix://docker.sock": the path of a socket starts with "/"'],
    ['tcp://host:99999', 'invalid', 'engine address "tcp://host:99999": "99999" is not a port'],
    ['tcp://host:0', 'invalid', 'engine address "tcp://host:0": "0" is not a port'],
    ['tcp://a/b', 'invalid', 'engine address "tcp://a/b": expected tcp://host:port'],
    ['ftp://host', 'invalid', 'engine address "ftp://host": expected unix:///path or tcp://host:port'],
    ['https://host', 'unsupported', 'engine address "https://host": TLS is not supported'],
    ['ssh://me@host', 'unsupported', 'engine address "ssh://me@host": ssh is not supported'],
    [
      'npipe:////./pipe/x',
      'unsupported',
      'engine address "npipe:////./pipe/x": named pipes are not supported on Linux',
    ],
  ])('refuses %s', (text, kind, message) => {
    expect(() => parseHost(text)).toThrow(expect.objectContaining({kind, message}));
  });
});

describe('addressOfOptions', () => {
  it.each([
    [{}, 'unix:///var/run/docker.sock'],
    [{socketPath: '/run/x.sock'}, 'unix:///run/x.sock'],
    [{host: 'localhost', port: 80}, 'tcp://localhost:80'],
    [{host: 'localhost', port: '81', protocol: 'http' as const}, 'tcp://localhost:81'],
    [{host: 'tcp://localhost:82'}, 'tcp://localhost:82'],
  ])('%j is %s', (options, formatted) => {
    expect(formatAddress(addressOfOptions(options))).toBe(formatted);
  });

  it.each(['https', 'ssh'] as const)('refuses %s', (protocol) => {
    expect(() => addressOfOptions({host: 'h', protocol})).toThrow(expect.objectContaining({kind: 'unsupported'}));
  });
});
