import type {LogConfig} from '../../../src/api/types/container.ts';
import {LogReceiver} from '../../conformance/log-receiver.ts';
import {eventually} from '../../support/host.ts';
import type {Cases, Step} from '../case.ts';
import {containerOf} from '../case.ts';
import {ask, create, line, logs, remove, run, start, wait} from '../steps.ts';
import {refused} from './refused.ts';

const speech = 'echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three';
const by = (Type: string, Config: NonNullable<LogConfig['Config']> = {}) => ({HostConfig: {LogConfig: {Type, Config}}});
/** Runs to its end, and then what is left of its log. */
const written = (Type: string, Config: NonNullable<LogConfig['Config']> = {}) => [
  ...line(speech, by(Type, Config)),
  logs(),
  logs({tail: 1}),
];
const tried = (Type: string, Config: NonNullable<LogConfig['Config']> = {}) => [
  create({Cmd: ['echo', 'x'], ...by(Type, Config)}),
  start(),
  wait(),
  logs(),
];
const denied = (Type: string, Config: NonNullable<LogConfig['Config']> = {}) => [
  refused({Cmd: ['echo', 'x'], ...by(Type, Config)}),
];
/** With who and what is told beside each line. */
const told = (Type: string, Config: NonNullable<LogConfig['Config']>): readonly (Step | readonly Step[])[] => [
  run({
    Cmd: ['echo', 'one'],
    Env: ['FOO=bar', '_X=1=2', 'ELSE=y'],
    Labels: {'a.b': 'c d', k: 'v'},
    ...by(Type, Config),
  }),
  logs({details: true}),
];

/** Beside what differs from one run to the next: times and the number of the sender. */
const plain = (message: string) =>
  message
    .replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/, '<stamp>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/, '<time>')
    .replace(/\[\d+\]: /, '[<pid>]: ')
    .replace(/^(<\d+>1 \S+ \S+ \S+) \d+ /, '$1 <pid> ');

/** Runs with a receiver of its own; `@log` in an option is its address. */
const sent = (Config: NonNullable<LogConfig['Config']>, count: number, text = speech): Step =>
  ask('sent', async (world) => {
    await using receiver = new LogReceiver();
    await receiver.listen();
    const options = Object.fromEntries(
      Object.entries({'syslog-address': '%log', ...Config}).map(([key, value]) => [
        key,
        value.replace('%log', receiver.address),
      ]),
    );
    const steps = [...line(text, by('syslog', options)), logs()];
    const seen: Record<string, readonly string[]> = {};
    for (const step of steps) {
      const answer = await step.run(world).catch((error: Error & {readonly kind?: string}) => [`${error.kind}`]);
      if (Array.isArray(answer)) seen[step.label] = answer as readonly string[];
      else Object.assign(seen, answer);
    }
    await eventually(() => {
      if (receiver.messages.length < count) throw new Error(`${receiver.messages.length} messages, not ${count}`);
    });
    // What inspect says of it has the address of the receiver.
    await containerOf(world, 'it').remove();
    return {...seen, messages: receiver.messages.map(plain).toSorted()};
  });

const kept: Cases = {
  'json-file': written('json-file'),
  'json-file that is turned over': [
    ...line(
      'for i in $(seq 2000); do echo "line $i of many that are written here"; done',
      by('json-file', {'max-size': '16k', 'max-file': '2'}),
    ),
    logs({tail: 3}),
    // How much is kept goes by what each engine writes beside a line.
    remove(),
  ],
  'json-file of one file that is cut': [
    ...line(
      'for i in $(seq 2000); do echo "line $i of many that are written here"; done',
      by('json-file', {'max-size': '16k'}),
    ),
    logs({tail: 3}),
    // How much is kept goes by what each engine writes beside a line.
    remove(),
  ],
  'json-file that is compressed': tried('json-file', {'max-size': '1m', 'max-file': '3', compress: 'true'}),
  'json-file that is compressed and never turned over': denied('json-file', {compress: 'true'}),
  'json-file of files without a size': denied('json-file', {'max-file': '3'}),
  'json-file of no files': denied('json-file', {'max-size': '1m', 'max-file': '0'}),
  'json-file with a size that is none': denied('json-file', {'max-size': 'x'}),
  'json-file with a size below zero': denied('json-file', {'max-size': '-1'}),
  'json-file with a number that is none': denied('json-file', {'max-size': '1m', 'max-file': 'x'}),
  'json-file that is compressed perhaps': denied('json-file', {'max-size': '1m', compress: 'perhaps'}),
  'json-file with an option that there is not': denied('json-file', {'no-such': '1'}),
  'json-file with labels': told('json-file', {labels: 'a.b,missing'}),
  'json-file with labels by a pattern': told('json-file', {'labels-regex': '^k'}),
  'json-file with variables': told('json-file', {env: 'FOO,MISSING'}),
  'json-file with variables by a pattern': told('json-file', {'env-regex': '^_'}),
  'json-file with a tag': told('json-file', {tag: '{{.Name}}/x'}),
  'json-file with a tag that is none': denied('json-file', {tag: '{{'}),
  'json-file with a tag of nothing': denied('json-file', {tag: '{{.NoSuch}}'}),
  'json-file with a pattern that is none': denied('json-file', {'labels-regex': '['}),
  'json-file that waits for nobody': denied('json-file', {mode: 'non-blocking', 'max-buffer-size': '1m'}),
  'json-file that waits': tried('json-file', {mode: 'blocking'}),
  'json-file in no known mode': denied('json-file', {mode: 'sometimes'}),
  local: written('local'),
  'local that is turned over': [
    ...line(
      'for i in $(seq 2000); do echo "line $i of many that are written here"; done',
      by('local', {'max-size': '16k', 'max-file': '2'}),
    ),
    logs({tail: 3}),
    // How much is kept goes by what each engine writes beside a line.
    remove(),
  ],
  'local that is not compressed': tried('local', {compress: 'false'}),
  'local with a size that is none': denied('local', {'max-size': 'x'}),
  'local with an option that there is not': denied('local', {'no-such': '1'}),
  'local of no files': denied('local', {'max-file': '0'}),
  'local with a tag': told('local', {tag: '{{.ID}}'}),
  none: written('none'),
  'none with an option': denied('none', {'max-size': '1m'}),
};

const elsewhere: Cases = {
  'journald where there is none': tried('journald'),
  'journald with an option that there is not': denied('journald', {'no-such': '1'}),
  'syslog in its own form': [sent({}, 3)],
  'syslog of 3164': [sent({'syslog-format': 'rfc3164', 'syslog-facility': 'local3', tag: 'a b'}, 3)],
  'syslog of 5424': [sent({'syslog-format': 'rfc5424', 'syslog-facility': '0', tag: 'x'}, 3)],
  'syslog of 5424 with small parts': [sent({'syslog-format': 'rfc5424micro', tag: 'x'}, 3)],
  'syslog without a log beside': [sent({'cache-disabled': 'true', tag: 'x'}, 3)],
  'syslog with long lines': [sent({tag: 'x'}, 2, 'printf "%020000d\\n" 7')],
  'syslog with what is no text': [sent({tag: 'x'}, 1, "printf 'a\\377\\033b\\n'")],
  'syslog at an address that is none': denied('syslog', {'syslog-address': 'nowhere'}),
  'syslog by no known protocol': denied('syslog', {'syslog-address': 'gopher://a'}),
  'syslog at a port that is none': denied('syslog', {'syslog-address': 'tcp://127.0.0.1:x'}),
  'syslog at a port where nobody listens': tried('syslog', {'syslog-address': 'tcp://127.0.0.1:9'}),
  'syslog by datagrams where nobody listens': tried('syslog', {'syslog-address': 'udp://127.0.0.1:9'}),
  'syslog of no known facility': denied('syslog', {
    'syslog-address': 'udp://127.0.0.1:9',
    'syslog-facility': 'no-such',
  }),
  'syslog of no known form': denied('syslog', {'syslog-address': 'udp://127.0.0.1:9', 'syslog-format': 'no-such'}),
  'syslog with an option that there is not': denied('syslog', {'no-such': '1'}),
  'a driver that there is not': denied('no-such'),
  'no driver at all': [
    create({Cmd: ['echo', 'x'], HostConfig: {LogConfig: {Type: '', Config: {}}}}),
    start(),
    wait(),
    logs(),
  ],
};

export const logDrivers: Cases = {...kept, ...elsewhere};
