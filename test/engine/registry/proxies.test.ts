import {expect, test} from 'vitest';
import {type ProxySettings, proxyFor} from '../../../src/engine/registry/proxies.ts';

const both = {http: 'http://plain:3128', https: 'https://secure'};
const find = (url: string, none = '', settings: ProxySettings = both) => proxyFor(new URL(url), {...settings, none});

test('each scheme has its own', () => {
  expect(find('http://files.example/x')).toBe('http://plain:3128');
  expect(find('https://files.example/x')).toBe('https://secure');
  expect(find('https://files.example/x', '', {http: 'http://plain'})).toBeUndefined();
  expect(find('http://files.example/x', '', {})).toBeUndefined();
  expect(find('http://files.example/x', '', {http: ''})).toBeUndefined();
});

test('one without a scheme is plain', () => {
  expect(find('http://files.example/', '', {http: 'proxy.example:3128'})).toBe('http://proxy.example:3128');
  expect(find('http://files.example/', '', {http: ' 10.0.0.1:3128 '})).toBe('http://10.0.0.1:3128');
});

test.each(['socks5://proxy', 'http://', 'a b', 'ftp://proxy'])('"%s" is none, and is not shown', (address) => {
  expect(() => find('https://files.example/', '', {https: address})).toThrow(/^HTTPS_PROXY is no address of a proxy$/);
});

test.each([
  'http://localhost:5000/',
  'http://127.0.0.1/',
  'http://127.9.9.9:80/',
  'http://[::1]:5000/',
  'https://LOCALHOST/',
])('%s is on this machine', (url) => expect(find(url)).toBeUndefined());

test.each([
  ['*', 'http://files.example/'],
  ['other.example, files.example', 'http://files.example/'],
  ['example', 'http://files.example/'],
  ['.example', 'http://files.example/'],
  ['*.example', 'http://files.example/'],
  ['FILES.Example', 'http://files.example/'],
  ['files.example:8080', 'http://files.example:8080/'],
  ['files.example:443', 'https://files.example/'],
  ['files.example:80', 'http://files.example/'],
  ['10.1.2.3', 'http://10.1.2.3/'],
  ['10.0.0.0/8', 'http://10.1.2.3/'],
  ['10.1.2.3:5000', 'http://10.1.2.3:5000/'],
  ['fd00::/8', 'http://[fd00::7]/'],
  ['fd00::7', 'http://[fd00::7]/'],
  ['[fd00::7]', 'http://[fd00::7]/'],
  ['[fd00::7]:5000', 'http://[fd00::7]:5000/'],
])('NO_PROXY=%s covers %s', (none, url) => expect(find(url, none)).toBeUndefined());

test.each([
  ['', 'http://files.example/'],
  ['files.example.org', 'http://files.example/'],
  ['iles.example', 'http://files.example/'],
  ['.files.example', 'http://files.example/'],
  ['files.example:8080', 'http://files.example/'],
  ['10.0.0.0/8', 'http://11.1.2.3/'],
  ['10.0.0.0/33', 'http://10.1.2.3/'],
  ['10.0.0.0/x', 'http://10.1.2.3/'],
  ['10.0.0.0/8', 'http://10.example/'],
  ['10.0.0.0/8', 'http://[fd00::7]/'],
  ['10.1.2.3:5000', 'http://10.1.2.3/'],
  ['/', 'http://files.example/'],
])('NO_PROXY=%s does not cover %s', (none, url) => expect(find(url, none)).toBeDefined());
