import type {Flags} from './command.ts';

const quietTransfer = {short: 'q', summary: 'print nothing but the name'} as const;
const platform = {value: 'PLATFORM', summary: "os/architecture[/variant], this machine's where not given"} as const;

/** The flags of the commands of `engine`. */
export const engineFlags = {
  'engine serve': {
    host: {
      short: 'H',
      value: 'ADDRESS',
      repeat: true,
      summary: 'where to listen: unix:///path, or tcp://address:port on loopback (engine.sock in the run directory)',
    },
  },
  'engine pull': {
    'all-tags': {short: 'a', summary: 'pull every tag of the repository'},
    platform,
    quiet: quietTransfer,
  },
  'engine push': {
    'all-tags': {short: 'a', summary: 'push every tag of the repository that is here'},
    platform: {value: 'PLATFORM', summary: 'of an image with several platforms only this one'},
    quiet: quietTransfer,
  },
  'engine login': {
    username: {short: 'u', value: 'NAME', summary: 'name of the user'},
    password: {short: 'p', value: 'PASSWORD', summary: 'password or token; others can see it in the list of processes'},
    'password-stdin': {summary: 'read the password from standard input'},
  },
  'engine logout': {},
  'engine search': {
    filter: {short: 'f', value: 'CONDITION', repeat: true, summary: 'stars=N, is-official=true, is-automated=true'},
    format: {
      value: 'FORMAT',
      summary: "table, json (one object a line), or a template such as '{{.Name}}: {{.StarCount}}'",
    },
    limit: {value: 'N', kind: 'integer', summary: 'results at most: 25, or up to 100'},
    'no-trunc': {summary: 'do not shorten'},
  },
  'engine manifest': {},
} as const satisfies Record<string, Flags>;
