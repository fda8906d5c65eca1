import type {CommandInput, Flags} from './command.ts';

const format = {value: 'FORMAT', summary: 'table, json, or a template such as "{{.ID}}: {{.Size}}"'} as const;
const filter = {short: 'f', value: 'FILTER', repeat: true} as const;
const platform = {value: 'PLATFORM', summary: 'as os/architecture[/variant]: linux/arm64'} as const;
const noTrunc = {summary: 'print ids and texts whole'} as const;

/** Flags of the commands on images: Docker's. */
export const imageFlags = {
  ls: {
    all: {short: 'a', summary: 'every image (there are no intermediate ones to hide)'},
    digests: {summary: 'show by which digest a registry knows them'},
    filter: {
      ...filter,
      summary: 'before=IMAGE, since=IMAGE, dangling=true|false, label=KEY[=VALUE], reference=PATTERN, until=TIME',
    },
    format,
    'no-trunc': noTrunc,
    quiet: {short: 'q', summary: 'print ids only'},
    tree: {summary: 'show the platforms of each image, and which of them are here'},
  },
  inspect: {
    format: {short: 'f', value: 'FORMAT', summary: 'json, or a template such as "{{.Id}}" or "{{json .Config}}"'},
    platform,
  },
  history: {
    format,
    human: {short: 'H', summary: 'sizes and times for people', default: true},
    'no-trunc': noTrunc,
    platform,
    quiet: {short: 'q', summary: 'print ids only'},
  },
  rm: {
    force: {short: 'f', summary: 'also one with several names or that stopped containers use'},
    platform: {
      ...platform,
      repeat: true,
      summary: 'of an image with several platforms this one only; the name stays while others are here',
    },
    'no-prune': {summary: 'keep untagged images below it (there are none to remove)'},
  },
  prune: {
    all: {short: 'a', summary: 'every image that no container uses, not only those without a name'},
    filter: {value: 'FILTER', repeat: true, summary: 'label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME'},
    force: {short: 'f', summary: 'do not ask'},
  },
  tag: {},
  save: {
    output: {short: 'o', value: 'FILE', summary: 'file to write instead of standard output'},
    platform,
  },
  load: {
    input: {short: 'i', value: 'FILE', summary: 'archive to read instead of standard input'},
    platform,
    quiet: {short: 'q', summary: 'print nothing but the names of what was loaded'},
  },
  import: {
    change: {
      short: 'c',
      value: 'INSTRUCTION',
      repeat: true,
      summary: 'line of a Dockerfile to apply, such as CMD ["sh"]',
    },
    message: {short: 'm', value: 'TEXT', summary: 'note for the history'},
    platform: {...platform, summary: "what it is for, as os/architecture[/variant]; this machine's where not given"},
  },
  fsck: {
    repair: {summary: 'unpack damaged layers again, and remove what cannot be mended'},
    format: {value: 'FORMAT', choices: ['text', 'json'], summary: 'text or json'},
  },
} as const satisfies Record<string, Flags>;

export type ImageInput<K extends keyof typeof imageFlags> = CommandInput<(typeof imageFlags)[K]>;

/** What each is for, and what it takes. */
export const imageSummaries = {
  ls: {summary: 'list the images of the engine', args: '[REPOSITORY[:TAG]]'},
  inspect: {summary: 'print all that is known of images', args: 'IMAGE [IMAGE...]'},
  history: {summary: 'show the steps that made an image', args: 'IMAGE'},
  rm: {summary: 'remove images, or names of them', args: 'IMAGE [IMAGE...]'},
  prune: {summary: 'remove images that nobody uses', args: ''},
  tag: {summary: 'give an image one more name', args: 'IMAGE NAME[:TAG]'},
  save: {summary: 'write images to an archive that is docker-archive and OCI layout in one', args: 'IMAGE [IMAGE...]'},
  load: {summary: 'read images from an archive, also compressed', args: ''},
  import: {summary: 'make an image of a root file system', args: 'FILE|URL|- [REPOSITORY[:TAG]]'},
  fsck: {summary: 'verify every blob, layer and record of the image store', args: ''},
} as const;
