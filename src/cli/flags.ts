import type {CommandInput, Flags} from './command.ts';
import {commitFlags} from './commit-flags.ts';
import {engineFlags} from './engine-flags.ts';
import {progressFlag} from './progress-flag.ts';

const timeout = {
  short: 't',
  value: 'SECONDS',
  kind: 'seconds',
  summary: 'seconds to wait before a container is killed',
} as const;
const index = {value: 'REPLICA', kind: 'integer', summary: 'number of the replica, where there are several'} as const;
const allowMissingLimits = {
  summary: 'run containers without the limits that this machine cannot keep (TSCOMPOSE_ALLOW_MISSING_LIMITS)',
} as const;
const quiet = {short: 'q', summary: 'print ids only'} as const;

export const containerStates = ['paused', 'restarting', 'removing', 'running', 'dead', 'created', 'exited'] as const;

/** The flags of each command: what it parses, what help and docs say, and the types its code reads. */
const lockFile = {value: 'FILE', summary: 'the lock file (compose.lock.yaml beside the stack file)'} as const;
const locked = {
  locked: {summary: 'take every image by the digest that the lock file has for it, and refuse others'},
  'lock-file': lockFile,
} as const;

export const commandFlags = {
  up: {
    detach: {short: 'd', summary: 'start in the background and return'},
    build: {summary: 'build the images of services first, also those that are there'},
    'no-build': {summary: 'build no image, also where one is missing'},
    wait: {summary: 'return when every service runs and is healthy (implies -d)'},
    'wait-timeout': {value: 'SECONDS', kind: 'seconds', summary: 'give up waiting after this long'},
    'force-recreate': {summary: 'recreate containers even if nothing changed'},
    'no-recreate': {summary: 'leave containers that exist as they are'},
    'always-recreate-deps': {summary: 'recreate what the named services depend on too, as --force-recreate does them'},
    'no-deps': {summary: 'leave out services that the named ones depend on'},
    'no-start': {summary: 'create, but do not start'},
    'allow-missing-limits': allowMissingLimits,
    'remove-orphans': {summary: 'remove containers of services that the stack no longer has'},
    'renew-anon-volumes': {short: 'V', summary: 'give recreated containers new anonymous volumes'},
    scale: {value: 'SERVICE=N', repeat: true, summary: 'number of replicas of a service'},
    pull: {
      value: 'WHEN',
      choices: ['always', 'missing', 'never'],
      summary: 'when to pull images, whatever "pull_policy" of the services says',
    },
    ...locked,
    'quiet-pull': {summary: 'do not show how pulls come along'},
    timeout,
    'no-color': {summary: 'print logs without colours'},
    'no-log-prefix': {summary: 'print logs without the name of the container'},
    timestamps: {summary: 'print the time of each log line'},
    attach: {value: 'SERVICE', repeat: true, summary: 'print the logs of these services only'},
    'attach-dependencies': {summary: 'print the logs of what the named services depend on too'},
    'no-attach': {value: 'SERVICE', repeat: true, summary: 'do not print the logs of these services'},
    'abort-on-container-exit': {summary: 'stop everything when one container ends'},
    'abort-on-container-failure': {summary: 'stop everything when one container fails'},
    'exit-code-from': {
      value: 'SERVICE',
      summary: 'end with the exit code of this service (implies --abort-on-container-exit)',
    },
    yes: {short: 'y', summary: 'answer yes to every question'},
    watch: {short: 'w', summary: 'copy saved files into the containers, by the "develop" rules of the services'},
    ui: {summary: 'show the terminal UI while and after it comes up; the stack goes on when it is left'},
  },
  build: {
    'build-arg': {value: 'NAME=VALUE', repeat: true, summary: 'value of an ARG, for all services'},
    'no-cache': {summary: 'build every step anew'},
    debug: {summary: 'open a shell in the step that fails, in what it left; of COPY and ADD in what was there before'},
    check: {summary: 'only look for problems of the Dockerfiles'},
    explain: {summary: 'say for every step why it came from the cache or did not: which file, variable or step'},
    ...locked,
    'with-dependencies': {summary: 'build what the named services depend on too'},
    ssh: {
      value: 'AGENT',
      repeat: true,
      summary:
        'an agent for RUN --mount=type=ssh, for all services: default, NAME=SOCKET, or NAME=FILE of a private key',
    },
    pull: {summary: 'look for newer images to build upon at their registries'},
    push: {summary: 'push what was built under a name of its own'},
    print: {summary: 'build nothing, and print the builds as a file for "docker buildx bake"'},
    memory: {short: 'm', value: 'BYTES', summary: 'refused: steps of builds have no limit of their own'},
    builder: {value: 'NAME', summary: 'only default: there is one builder'},
    progress: progressFlag,
    quiet: {short: 'q', summary: 'print nothing but errors'},
  },
  watch: {
    'allow-missing-limits': allowMissingLimits,
    'no-up': {summary: 'do not start the stack first'},
    quiet: {summary: 'do not show how the stack is brought up, nor how images are built'},
    prune: {default: true, summary: 'remove images that builds replace'},
  },
  down: {
    volumes: {short: 'v', summary: 'remove named volumes of the stack and anonymous ones of its containers too'},
    'remove-orphans': {summary: 'remove containers of services that the stack no longer has'},
    rmi: {
      value: 'WHICH',
      choices: ['local', 'all'],
      summary: 'remove images of the services too: all, or local: those that are built and have no name of their own',
    },
    timeout,
  },
  plan: {
    'exit-code': {summary: 'exit with 2 where there are changes'},
    ...locked,
    format: {value: 'FORMAT', choices: ['text', 'json'], summary: 'text or json'},
    'force-recreate': {summary: 'plan as up --force-recreate would'},
    'remove-orphans': {summary: 'plan as up --remove-orphans would'},
    scale: {value: 'SERVICE=N', repeat: true, summary: 'number of replicas of a service'},
  },
  ps: {
    all: {short: 'a', summary: 'show stopped containers too'},
    filter: {value: 'status=STATUS', repeat: true, summary: 'as --status'},
    format: {
      value: 'FORMAT',
      summary:
        'table, json (one object a line), or a template: "{{.Name}} {{.State}}", "table {{.Name}}\\t{{.Status}}"',
    },
    orphans: {default: true, summary: 'show containers of services that the stack no longer has'},
    quiet,
    services: {summary: 'print names of services'},
    why: {summary: 'tell why: health and what the last probe said, restarts and their causes'},
    status: {
      value: 'STATUS',
      repeat: true,
      choices: containerStates,
      summary: 'only containers in this state',
    },
    'no-trunc': {summary: 'do not shorten'},
  },
  logs: {
    follow: {short: 'f', summary: 'go on as new lines arrive'},
    tail: {short: 'n', value: 'LINES', summary: 'lines from the end of each container, or "all"'},
    timestamps: {short: 't', summary: 'print the time of each line'},
    since: {value: 'TIME', summary: 'only lines after this time (2026-01-02T03:04:05Z) or this long ago (10m)'},
    until: {value: 'TIME', summary: 'only lines before this time, or before this long ago'},
    'no-color': {summary: 'print without colours'},
    'no-log-prefix': {summary: 'print without the name of the container'},
    index,
  },
  exec: {
    detach: {short: 'd', summary: 'run it in the background'},
    env: {short: 'e', value: 'KEY=VALUE', repeat: true, summary: 'set a variable'},
    interactive: {short: 'i', summary: 'pass standard input on, as always'},
    tty: {short: 't', summary: 'give it a terminal, as always where there is one'},
    'no-tty': {short: 'T', summary: 'do not give it a terminal'},
    user: {short: 'u', value: 'USER', summary: 'run as this user'},
    workdir: {short: 'w', value: 'PATH', summary: 'run in this directory of the container'},
    privileged: {summary: 'give it all rights of the machine'},
    index,
  },
  run: {
    detach: {short: 'd', summary: 'run it in the background and print the id of the container'},
    rm: {summary: 'remove the container when it has ended'},
    name: {value: 'NAME', summary: 'name of the container'},
    'no-deps': {summary: 'do not start what the service depends on'},
    env: {short: 'e', value: 'KEY=VALUE', repeat: true, summary: 'set a variable'},
    entrypoint: {value: 'COMMAND', summary: 'run this in place of the entrypoint'},
    user: {short: 'u', value: 'USER', summary: 'run as this user'},
    workdir: {short: 'w', value: 'PATH', summary: 'run in this directory of the container'},
    volume: {short: 'v', value: 'SOURCE:TARGET', repeat: true, summary: 'mount this too'},
    publish: {short: 'p', value: 'PORT', repeat: true, summary: 'publish a port, as "ports" has it'},
    'service-ports': {short: 'P', summary: 'publish the ports of the service, which stay closed otherwise'},
    'use-aliases': {summary: 'answer to the names that the service has on its networks'},
    label: {short: 'l', value: 'KEY=VALUE', repeat: true, summary: 'set a label'},
    build: {summary: 'build the images first, also those that are there'},
    pull: {value: 'WHEN', choices: ['always', 'missing', 'never'], summary: 'when to pull images'},
    interactive: {short: 'i', default: true, summary: 'pass standard input on'},
    tty: {short: 't', summary: 'give it a terminal, as always where there is one'},
    'no-tty': {short: 'T', summary: 'do not give it a terminal'},
    'quiet-pull': {summary: 'do not show how pulls come along'},
  },
  port: {
    index,
    protocol: {value: 'PROTOCOL', choices: ['tcp', 'udp', 'sctp'], summary: 'of the port (tcp)'},
  },
  ls: {
    all: {short: 'a', summary: 'show those too of which nothing runs'},
    quiet: {short: 'q', summary: 'print names only'},
    format: {value: 'FORMAT', choices: ['table', 'json'], summary: 'table or json'},
  },
  kill: {signal: {short: 's', value: 'SIGNAL', summary: 'what is sent, SIGKILL if nothing else is said'}},
  rm: {
    force: {short: 'f', summary: 'do not ask'},
    stop: {short: 's', summary: 'stop those that run, and remove them too'},
    volumes: {short: 'v', summary: 'remove their anonymous volumes too'},
  },
  cp: {
    all: {summary: 'copy to containers that were made for a single command too'},
    archive: {short: 'a', summary: 'what is copied into a container belongs to its user'},
    'follow-link': {short: 'L', summary: 'copy what a link leads to, if the source is one'},
    index: {value: 'REPLICA', kind: 'integer', summary: 'number of the replica (else from the first, or to all)'},
  },
  commit: {...commitFlags, index},
  attach: {
    'detach-keys': {
      value: 'KEYS',
      summary: 'keys that let go of it: letters and ctrl-LETTER, by commas (ctrl-p,ctrl-q)',
    },
    index,
    'no-stdin': {summary: 'do not hand over what is typed'},
    'sig-proxy': {default: true, summary: 'hand signals over to it, Ctrl-C among them, where it has no terminal'},
  },
  stats: {
    all: {short: 'a', summary: 'show stopped containers too'},
    format: {
      value: 'FORMAT',
      summary: "table, json (one object a line), or a template such as '{{.Name}}: {{.CPUPerc}}'",
    },
    'no-stream': {summary: 'show it once and end'},
    'no-trunc': {summary: 'do not shorten'},
  },
  top: {},
  events: {
    json: {summary: 'one JSON object a line'},
    since: {value: 'TIME', summary: 'from this time on (2026-01-02T03:04:05Z) or from this long ago (10m)'},
    until: {value: 'TIME', summary: 'up to this time, or up to this long ago'},
  },
  stop: {timeout},
  start: {},
  pause: {},
  unpause: {},
  restart: {timeout, 'no-deps': {summary: 'leave dependents alone that would restart too'}},
  config: {
    environment: {summary: 'print the variables that the stack files see'},
    explain: {value: 'PATH', summary: 'print where each value below a path (services.web.ports) comes from'},
    format: {value: 'FORMAT', choices: ['yaml', 'json'], summary: 'yaml or json'},
    hash: {value: 'SERVICES', summary: 'print the hashes of services (a,b), or of all (*)'},
    images: {summary: 'print the images'},
    'lock-image-digests': {summary: 'print a stack file with the digests of the images alone, as registries know them'},
    models: {summary: 'print the names of the models'},
    networks: {summary: 'print the names of the networks'},
    'no-consistency': {summary: 'do not look for names that lead nowhere, cycles and contradictions'},
    'no-env-resolution': {summary: 'leave variables without a value open, do not read environment files'},
    'no-interpolate': {summary: 'leave variables as they stand'},
    'no-normalize': {summary: 'leave out what Compose adds by itself: default network, names'},
    'no-path-resolution': {summary: 'leave relative paths as they stand'},
    output: {short: 'o', value: 'FILE', summary: 'write to a file'},
    profiles: {summary: 'print the profiles'},
    quiet: {short: 'q', summary: 'only check'},
    'resolve-image-digests': {summary: 'put the digest that its registry knows behind each image'},
    services: {summary: 'print the names of the services'},
    variables: {summary: 'print the variables that the stack files use'},
    volumes: {summary: 'print the names of the volumes'},
  },
  diff: {
    env: {value: 'ENVIRONMENT', repeat: true, summary: 'an environment to compare; one alone is compared with none'},
    format: {value: 'FORMAT', choices: ['text', 'json'], summary: 'text or json'},
    'exit-code': {summary: 'exit with 2 where they differ'},
  },
  lint: {
    strict: {summary: 'warnings count as errors, and images without a fixed version are warned of'},
    format: {value: 'FORMAT', choices: ['text', 'json'], summary: 'text or json'},
  },
  schema: {},
  load: {
    input: {
      short: 'i',
      value: 'FILE',
      summary: 'archive to read instead of standard input (docker save, OCI archive; also compressed)',
    },
    quiet: {short: 'q', summary: 'print nothing but errors'},
    import: {value: 'NAME', summary: 'the archive is a root file system: create an image of this name from it'},
    change: {
      short: 'c',
      value: 'INSTRUCTION',
      repeat: true,
      summary: 'with --import: CMD, ENTRYPOINT, ENV, EXPOSE, USER, WORKDIR, VOLUME, LABEL or STOPSIGNAL to apply',
    },
  },
  pull: {
    ...locked,
    'ignore-buildable': {summary: 'leave out images that can be built'},
    'ignore-pull-failures': {summary: 'pull what can be pulled, and end well'},
    'include-deps': {summary: 'pull what the named services depend on too'},
    policy: {
      value: 'WHEN',
      choices: ['missing', 'always'],
      summary: 'when, whatever "pull_policy" of the services says',
    },
    quiet: {short: 'q', summary: 'do not show how it comes along'},
  },
  lock: {
    check: {summary: 'ask no registry, and exit with 2 where the lock file is not the one for this stack'},
    outdated: {summary: 'write nothing, and exit with 2 where names stand for other images by now'},
    'lock-file': lockFile,
  },
  push: {
    'ignore-push-failures': {summary: 'push what can be pushed, and end well'},
    'include-deps': {summary: 'push what the named services depend on too'},
    quiet: {short: 'q', summary: 'do not show how it comes along'},
  },
  images: {
    all: {short: 'a', summary: 'every image of the engine'},
    format: {value: 'FORMAT', choices: ['table', 'json'], summary: 'table or json'},
    quiet,
  },
  ui: {ascii: {summary: 'draw with ASCII characters only'}},
  service: {
    user: {summary: 'a service of this user, not of the machine'},
    print: {summary: 'with install: print the unit and change nothing'},
  },
  ...engineFlags,
  'registry serve': {
    listen: {value: 'ADDRESS', summary: 'address and port to listen at (127.0.0.1:5000)'},
    name: {
      value: 'NAME',
      repeat: true,
      summary:
        'a name by which clients reach it, with its port; under the first one, what is pushed becomes an image of this machine',
    },
    'tls-cert': {value: 'FILE', summary: 'certificate to serve HTTPS with (PEM)'},
    'tls-key': {value: 'FILE', summary: 'its private key (PEM)'},
    htpasswd: {value: 'FILE', summary: 'users and the bcrypt hashes of their passwords, as written by "htpasswd -B"'},
    auth: {
      value: 'KIND',
      choices: ['basic', 'token'],
      summary: 'with --htpasswd: how clients show who they are (basic)',
    },
    'anonymous-pull': {summary: 'with --htpasswd: who is not known may pull'},
    'read-only': {summary: 'nobody may push or delete'},
    'no-local': {summary: 'offer only what was pushed, not every image of this machine'},
    'no-unpack': {summary: 'keep what is pushed, and do not make it ready to run here'},
    mirror: {
      value: 'REGISTRY',
      repeat: true,
      summary: 'a registry whose images are passed on and kept: docker.io, quay.io',
    },
    'mirror-login': {
      summary:
        'with --mirror: ask the other registries with the logins of whoever runs this; every client gets what these give',
    },
    'mirror-max-size': {value: 'BYTES', summary: 'with --mirror: keep so much of other registries: 50g (no limit)'},
    'mirror-max-age': {
      value: 'TIME',
      kind: 'seconds',
      summary: 'with --mirror: let go of what nobody asked for so long: 720h (no limit)',
    },
    offline: {summary: 'with --mirror: do not ask the other registries, offer what is kept'},
    'max-blob-size': {value: 'BYTES', summary: 'largest blob that is taken: 500m, 20g (no limit)'},
    'max-uploads': {value: 'N', kind: 'integer', summary: 'unfinished uploads that are kept at most (1000)'},
    'max-connections': {value: 'N', kind: 'integer', summary: 'clients that are served at once (1000)'},
  },
  completion: {},
  doctor: {format: {value: 'FORMAT', choices: ['table', 'json'], summary: 'table or json'}},
  version: {
    format: {short: 'f', value: 'FORMAT', choices: ['pretty', 'json'], summary: 'pretty or json'},
    short: {summary: 'only the number'},
  },
} as const satisfies Record<string, Flags>;

export type Input<K extends keyof typeof commandFlags> = CommandInput<(typeof commandFlags)[K]>;
