import type {CommandInput, Flags} from './command.ts';

const filter = {
  value: 'FILTER',
  repeat: true,
  summary:
    'id=ID, type=regular|exec.cachemount|source.local, description=TEXT, inuse, shared, private, until=TIME, unused-for=TIME',
} as const;
const bytes = {value: 'BYTES'} as const;

/** Flags of the commands on what builds keep: those of `docker buildx du` and `docker builder prune`. */
export const builderFlags = {
  du: {
    filter,
    format: {value: 'FORMAT', choices: ['table', 'json'], summary: 'table, or json: a line for each'},
    verbose: {summary: 'print all that is known'},
  },
  prune: {
    all: {short: 'a', summary: 'also what images are made of, and cache mounts'},
    filter,
    force: {short: 'f', summary: 'do not ask'},
    'keep-storage': {...bytes, summary: 'the old name of --reserved-space'},
    'reserved-space': {...bytes, summary: 'keep so much, whatever the other limits say'},
    'max-used-space': {...bytes, summary: 'remove until no more than this is used'},
    'min-free-space': {...bytes, summary: 'remove until so much of the disk is free'},
    verbose: {summary: 'print all that is known of what goes'},
  },
  export: {
    output: {short: 'o', value: 'FILE', summary: 'file to write instead of standard output'},
  },
  import: {
    input: {short: 'i', value: 'FILE', summary: 'archive to read instead of standard input'},
  },
} as const satisfies Record<string, Flags>;

export type BuilderInput<K extends keyof typeof builderFlags> = CommandInput<(typeof builderFlags)[K]>;

/** What each is for, and what it takes. */
export const builderSummaries = {
  du: {summary: 'show what builds keep: results of steps, and cache mounts', args: ''},
  prune: {summary: 'remove what builds keep', args: ''},
  export: {summary: 'write what a cache mount holds to an archive', args: 'MOUNT'},
  import: {summary: 'make a cache mount of an archive', args: 'MOUNT'},
} as const;
