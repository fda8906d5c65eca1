/** Every key, in the order in which help shows them. Footer and help read it; keys.ts gives them their meaning. */
export interface KeyRow {
  readonly keys: string;
  readonly what: string;
  /** In the footer, where the key is worth it. */
  readonly short?: string;
  /** What a person types for the same; `SERVICE` stands for the selected one. */
  readonly command?: string;
}

export interface KeyGroup {
  readonly title: string;
  readonly rows: readonly KeyRow[];
}

export const keyGroups: readonly KeyGroup[] = [
  {
    title: 'Service',
    rows: [
      {keys: 'r', what: 'restart', short: 'restart', command: 'restart SERVICE'},
      {keys: 's', what: 'stop, or start what is stopped', short: 'stop/start', command: 'stop SERVICE'},
      {keys: 'e', what: 'shell in the container', short: 'shell', command: 'exec SERVICE sh'},
      {keys: 'o', what: 'open a port in the browser', short: 'open', command: 'ps SERVICE'},
      {keys: 'w', what: 'why it restarted, how its health is', short: 'why', command: 'ps --why SERVICE'},
      {keys: 'enter', what: 'show its replicas, or its log'},
    ],
  },
  {
    title: 'Stack',
    rows: [
      {keys: 'p', what: 'what differs from the stack file', short: 'plan', command: 'plan'},
      {keys: 'a', what: 'apply it (in the plan)', command: 'up -d'},
      {keys: 'v', what: 'events', short: 'events', command: 'events'},
      {keys: 'B', what: 'builds, with all their steps', short: 'builds', command: 'build'},
    ],
  },
  {
    title: 'Logs',
    rows: [
      {keys: 'l', what: 'of the selected service, or of all', short: 'one/all', command: 'logs -f SERVICE'},
      {keys: '/', what: 'search; n older, N newer', short: 'search'},
      {keys: 'f', what: 'show only lines that match', short: 'filter'},
      {keys: 'P', what: 'of the instance before this one', short: 'previous', command: 'logs SERVICE'},
      {keys: 'x', what: 'to the last error', short: 'last error'},
      {keys: 'W', what: 'wrap long lines', short: 'wrap'},
      {keys: 't', what: 'times', short: 'times', command: 'logs -t'},
      {keys: 'end G', what: 'follow the newest', short: 'follow'},
    ],
  },
  {
    title: 'Screen',
    rows: [
      {keys: 'up down', what: 'move (also j k), pgup pgdn by the screen'},
      {keys: 'tab', what: 'between services and logs', short: 'logs'},
      {keys: 'y', what: 'copy the command of the last action'},
      {keys: 'esc', what: 'close, or clear search and filter'},
      {keys: '?', what: 'this help', short: 'help'},
      {keys: 'ctrl-z', what: 'to the shell, fg comes back'},
      {keys: 'q', what: 'quit; the stack goes on', short: 'quit'},
    ],
  },
];
