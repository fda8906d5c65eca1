import {TscomposeError} from '../../base/errors.ts';

/** Where messages go. `local`: to the machine's own. */
export type SyslogAddress =
  | {readonly protocol: 'local'}
  | {readonly protocol: 'unix' | 'unixgram'; readonly path: string}
  | {readonly protocol: 'tcp' | 'udp'; readonly host: string; readonly port: number};

export interface SyslogOptions {
  readonly address: SyslogAddress;
  readonly facility: number;
  readonly format: 'unix' | 'rfc3164' | 'rfc5424' | 'rfc5424micro';
}

type Options = Readonly<Record<string, string>>;

/** In the order of their numbers (RFC 5424); local0 is 16. */
const facilities = 'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp'.split(' ');
const firstLocal = 16;
const lastFacility = 23;
const defaultFacility = 'daemon';
const defaultPort = 514;

/** Throws `invalid` in Docker's words, or `unsupported`. */
export function parseSyslogOptions(options: Options): SyslogOptions {
  return {
    address: parseAddress(options['syslog-address'] ?? ''),
    facility: parseFacility(options['syslog-facility'] || defaultFacility),
    format: parseFormat(options['syslog-format'] ?? ''),
  };
}

function parseAddress(text: string): SyslogAddress {
  if (text === '') return {protocol: 'local'};
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text) ?? [];
  const [, authority = '', path = ''] = /^([^/?#]*)([^?#]*)/.exec(rest) ?? [];
  if (scheme === 'unix' || scheme === 'unixgram') {
    if (path === '') throw new TscomposeError('invalid', `the log option syslog-address has no path: "${text}"`);
    return {protocol: scheme, path};
  }
  if (scheme === 'tcp+tls')
    throw new TscomposeError('unsupported', 'this engine does not support the scheme "tcp+tls" of syslog-address', {
      hint: 'send to a receiver on this machine that speaks TLS to the other',
    });
  if (scheme !== 'tcp' && scheme !== 'udp') throw new TscomposeError('invalid', `unsupported scheme: '${scheme}'`);
  const [, bracketed, plain = '', port] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(authority) ?? [];
  const number = port ? Number(port) : defaultPort;
  if (!/^(?:\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/.test(authority) || number > 65535)
    throw new TscomposeError('invalid', `parse "${text}": invalid port or host`);
  return {protocol: scheme, host: bracketed ?? plain, port: number};
}

function parseFacility(text: string): number {
  const local = /^local([0-7])$/.exec(text)?.[1];
  const named = local === undefined ? facilities.indexOf(text) : firstLocal + Number(local);
  const number = named >= 0 ? named : /^\d+$/.test(text) ? Number(text) : -1;
  if (number < 0 || number > lastFacility) throw new TscomposeError('invalid', 'invalid syslog facility');
  return number;
}

function parseFormat(text: string): SyslogOptions['format'] {
  if (text === '') return 'unix';
  if (text === 'rfc3164' || text === 'rfc5424' || text === 'rfc5424micro') return text;
  throw new TscomposeError('invalid', 'Invalid syslog format');
}
