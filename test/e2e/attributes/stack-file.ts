import {profileFiles} from './held/rights.ts';

/** Beside the stack file. */
export const heldFiles = {
  ...profileFiles,
  'content/index.html': 'from the machine',
  'one.env': 'FROM_FILE=one\nOVER=file\n',
  'one.labels': 'from.file=one\n',
  'base.yaml': 'services: {base: {environment: {FROM_BASE: base}}}',
  'config.txt': 'a config',
  'secret.txt': 'a secret',
};

export const heldResources = {
  networks: {front: {}, back: {}},
  volumes: {data: {}, shared: {}},
  configs: {settings: {file: './config.txt'}},
  secrets: {token: {file: './secret.txt'}},
};

const sleeps = {image: 'busybox', command: ['sleep', '600'], init: true};

/** What every service of the stack has, whatever is asked of it. */
export const heldServices: Readonly<Record<string, object>> = {
  main: {image: 'busybox'},
  terminal: {
    image: 'busybox',
    command: ['sh', '-c', 'test -t 1 && echo yes > /is-terminal; exec sleep 600'],
  },
  open: {image: 'busybox', command: ['sh', '-c', 'readlink /proc/self/fd/0 > /input; exec sleep 600'], init: true},
  limited: sleeps,
  shared: sleeps,
  deployed: sleeps,
  privileged: sleeps,
  devices: sleeps,
  filtered: sleeps,
  scaled: sleeps,
  alone: {...sleeps, network_mode: 'none'},
  first: {image: 'busybox', command: 'true'},
  failing: {image: 'busybox', command: ['sh', '-c', 'exit 3']},
  silent: {image: 'busybox', command: ['sh', '-c', 'echo said; exec sleep 600'], init: true},
  signalled: {image: 'busybox', command: ['sh', '-c', 'trap "exit 7" USR1; while true; do sleep 0.1; done']},
  stubborn: {image: 'busybox', command: ['sh', '-c', 'trap "sleep 8; exit 7" TERM; while true; do sleep 0.1; done']},
  optional: sleeps,
  lender: {...sleeps, ipc: 'shareable'},
  guest: sleeps,
};
