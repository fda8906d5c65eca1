import {builderFlags} from './builder-flags.ts';
import type {Flags} from './command.ts';
import {commitFlags} from './commit-flags.ts';
import {imageFlags} from './image-flags.ts';
import {progressFlag} from './progress-flag.ts';
import {resourceFlags} from './resource-flags.ts';

const quietTransfer = {short: 'q', summary: 'print nothing but the name'} as const;
const platform = {value: 'PLATFORM', summary: "os/architecture[/variant], this machine's where not given"} as const;

const pull = {
  'all-tags': {short: 'a', summary: 'pull every tag of the repository'},
  platform,
  'all-platforms': {
    summary: 'bring all that the name stands for, other platforms and attestations too, to keep it or push it on',
  },
  quiet: quietTransfer,
} as const satisfies Flags;
const push = {
  'all-tags': {short: 'a', summary: 'push every tag of the repository that is here'},
  platform: {value: 'PLATFORM', summary: 'of an image with several platforms only this one'},
  quiet: quietTransfer,
} as const satisfies Flags;
const build = {
  file: {
    short: 'f',
    value: 'FILE',
    summary: 'the Dockerfile (Dockerfile in the context): a path, an address, or "-" for standard input',
  },
  tag: {short: 't', value: 'NAME', repeat: true, summary: 'name for the image, as name or name:tag'},
  target: {value: 'STAGE', summary: 'stage to build (the last one)'},
  'build-arg': {
    value: 'NAME=VALUE',
    repeat: true,
    summary: 'value of an ARG; without a value that of the environment',
  },
  'build-context': {
    value: 'NAME=PLACE',
    repeat: true,
    summary:
      'a further context: a directory, a repository, an archive by http, docker-image://IMAGE, oci-layout://PATH',
  },
  label: {value: 'NAME=VALUE', repeat: true, summary: 'label of the image'},
  'no-cache': {summary: 'build every step anew'},
  'no-cache-filter': {value: 'STAGE', repeat: true, summary: 'build the steps of this stage anew'},
  pull: {summary: 'look for newer images to build upon in their registries'},
  'cache-from': {
    value: 'CACHE',
    repeat: true,
    summary:
      'take results of steps from a cache elsewhere: type=registry,ref=NAME, type=local,src=DIRECTORY, or an image',
  },
  'cache-to': {
    value: 'CACHE',
    repeat: true,
    summary:
      'keep results of steps for other engines: type=inline (in the image), type=registry,ref=NAME or type=local,dest=DIRECTORY; mode=max: of all stages',
  },
  call: {
    value: 'METHOD',
    summary:
      'in place of building tell what is wrong (check), what it can be given (outline) or its stages (targets); with ",format=json" as JSON',
  },
  debug: {summary: 'open a shell in the step that fails, in what it left; of COPY and ADD in what was there before'},
  check: {summary: 'as --call check: only look for problems of the Dockerfile'},
  explain: {summary: 'say for every step why it came from the cache or did not: which file, variable or step'},
  platform: {
    value: 'PLATFORMS',
    repeat: true,
    summary: 'platform of the image; of several (linux/amd64,linux/arm64) an index of images is made',
  },
  network: {value: 'MODE', summary: 'network of the steps: default, none or host'},
  'add-host': {value: 'HOST:ADDRESS', repeat: true, summary: 'a line of /etc/hosts while it is built'},
  secret: {
    value: 'SECRET',
    repeat: true,
    summary: 'a secret for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE',
  },
  ssh: {
    value: 'AGENT',
    repeat: true,
    summary: 'an agent for RUN --mount=type=ssh: default, NAME=SOCKET, or NAME=FILE,… of private keys',
  },
  allow: {value: 'RIGHT', repeat: true, summary: 'what steps may ask for: network.host, security.insecure'},
  'shm-size': {value: 'BYTES', summary: 'size of /dev/shm while it is built'},
  ulimit: {value: 'LIMIT', repeat: true, summary: 'a limit of the steps: nofile=1024:2048'},
  'cgroup-parent': {value: 'CGROUP', summary: 'cgroup above those of the steps'},
  output: {
    short: 'o',
    value: 'OUTPUT',
    repeat: true,
    summary:
      'what is made: a directory with the files, or type=image|registry|oci|docker|tar|local,… with the keys of BuildKit',
  },
  push: {summary: 'push the image to the registries of its names'},
  load: {summary: 'the image is in the store: also beside other outputs'},
  annotation: {value: 'ANNOTATION', repeat: true, summary: 'an annotation of the image: [TYPE:]KEY=VALUE'},
  provenance: {value: 'MODE', summary: 'attest how the image was made: true, mode=min, mode=max (false)'},
  attest: {value: 'ATTESTATION', repeat: true, summary: 'the same in full: type=provenance,mode=max,version=v1'},
  sbom: {value: 'SBOM', summary: 'only false: what is in the image is not attested'},
  iidfile: {value: 'FILE', summary: 'write the id of the image to this file'},
  'metadata-file': {value: 'FILE', summary: 'write what was built to this file, as JSON'},
  quiet: {short: 'q', summary: 'print the id of the image and nothing else'},
  progress: progressFlag,
  builder: {value: 'NAME', summary: 'only default: there is one builder'},
} as const satisfies Flags;

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
  ...resourceFlags,
  'engine images': imageFlags.ls,
  'engine image ls': imageFlags.ls,
  'engine image inspect': imageFlags.inspect,
  'engine history': imageFlags.history,
  'engine image history': imageFlags.history,
  'engine rmi': imageFlags.rm,
  'engine image rm': imageFlags.rm,
  'engine image prune': imageFlags.prune,
  'engine tag': imageFlags.tag,
  'engine image tag': imageFlags.tag,
  'engine save': imageFlags.save,
  'engine image save': imageFlags.save,
  'engine load': imageFlags.load,
  'engine image load': imageFlags.load,
  'engine import': imageFlags.import,
  'engine image import': imageFlags.import,
  'engine fsck': imageFlags.fsck,
  'engine pull': pull,
  'engine image pull': pull,
  'engine push': push,
  'engine image push': push,
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
  'engine commit': commitFlags,
  'engine manifest inspect': {
    raw: {summary: 'print it byte for byte'},
    verbose: {short: 'v', summary: 'print with its descriptor every manifest that the name leads to'},
    platforms: {summary: 'print only its descriptor, and for which platforms it is'},
    referrers: {summary: 'print what says something about it: signatures, lists of contents'},
  },
  'engine builder du': builderFlags.du,
  'engine builder prune': builderFlags.prune,
  'engine builder export': builderFlags.export,
  'engine builder import': builderFlags.import,
  'engine system df': {
    format: {value: 'FORMAT', summary: 'table, json, or a template such as "{{.Type}}: {{.Size}}"'},
    verbose: {short: 'v', summary: 'list what takes the space up'},
  },
  'engine system prune': {
    all: {short: 'a', summary: 'every image that no container uses, not only those without a name'},
    volumes: {summary: 'also anonymous volumes that no container uses'},
    filter: {value: 'FILTER', repeat: true, summary: 'label=KEY[=VALUE], label!=KEY[=VALUE], until=TIME'},
    force: {short: 'f', summary: 'do not ask'},
  },
  'engine debug': {},
  'engine build': build,
  'engine image build': build,
} as const satisfies Record<string, Flags>;
