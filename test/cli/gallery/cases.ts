import type {LoadRequest} from '../../../src/model/load.ts';

/** A stack that is refused: its file, or all files by name below `/stack`; `up`: refused by the built-in engine. */
export interface GalleryCase {
  readonly files: string | Readonly<Record<string, string>>;
  readonly request?: Partial<LoadRequest>;
  readonly up?: true;
}

type Topic = Readonly<Record<string, string | GalleryCase>>;

const web = (attributes: string, rest = ''): string =>
  `services:\n  web:\n    image: nginx\n${attributes.replaceAll(/^/gm, '    ')}\n${rest}`;

const syntax: Topic = {
  'a tab indents a line': 'services:\n\tweb:\n\t\timage: nginx\n',
  'a bracket is not closed': 'services:\n  web: {image: nginx\n  db: {image: postgres}\n',
  'a quote is not closed': web('command: "echo hello', 'networks: {}\n'),
  'a line is indented too little': 'services:\n  web:\n    image: nginx\n   ports: ["80:80"]\n',
  'a line is indented too much': 'services:\n  web:\n    image: nginx\n     ports: ["80:80"]\n',
  'a colon has no space behind it': 'services:\n  web:\n    image:nginx\n',
  'a key stands twice': 'services:\n  web:\n    image: nginx\n    ports: ["80"]\n    image: apache\n',
  'an anchor is not defined': web('environment: *defaults'),
  'a merge key is no mapping': web('<<: hello'),
  'an unknown tag': web('ports: !rest ["80:80"]'),
  'a list in place of a mapping': '- web\n- db\n',
  'an empty file': '',
  'a service at the top level': 'web:\n  image: nginx\n',
};

const keys: Topic = {
  'a mistyped attribute': web('enviroment:\n  DEBUG: "1"'),
  'a mistyped member of healthcheck': web('healthcheck:\n  test: curl localhost\n  intervall: 10s'),
  'a mistyped member of deploy': web('deploy:\n  resources:\n    limit:\n      memory: 1g'),
  'a mistyped member of build': 'services:\n  web:\n    build:\n      context: .\n      dockerfil: Dockerfile.dev\n',
  'a mistyped member of a port': web('ports:\n  - target: 80\n    publish: 8080'),
  'a mistyped section': 'service:\n  web:\n    image: nginx\n',
  'an attribute at the wrong level': 'services:\n  web:\n    image: nginx\nports:\n  - "80:80"\n',
  'a key that nothing is like': web('colour: blue'),
  'a mistyped member of a network':
    'services:\n  web: {image: nginx, networks: [front]}\nnetworks:\n  front:\n    drivr: bridge\n',
  'several at once':
    'services:\n  web:\n    imag: nginx\n    port: ["80"]\n  db:\n    image: postgres\n    volume: ["data:/x"]\n',
};

const types: Topic = {
  'text in place of a list': web('ports: "80:80"'),
  'a number in place of text': web('user: 1000'),
  'a number without a unit': web('stop_grace_period: 10'),
  'a mapping in place of a line': web('command:\n  run: it'),
  'a list in place of text': web('working_dir: [/app]'),
  'nothing at all': web('environment:'),
  'a service that says nothing': 'services:\n  web:\n',
  'a word that is neither true nor false': web('read_only: maybe'),
  'a mapping in a list of texts': web('environment:\n  - DEBUG: "1"'),
  'a list of services': 'services:\n  - web\n',
};

const values: Topic = {
  'a size': web('mem_limit: lots'),
  'a number of processors': web('cpus: many'),
  'a duration': web('healthcheck:\n  test: "true"\n  interval: soon'),
  'a restart policy': web('restart: sometimes'),
  'a condition': web('depends_on:\n  db:\n    condition: service_helthy', '  db: {image: postgres}\n'),
  'a limit below another': web('ulimits:\n  nofile: {soft: 20, hard: 10}'),
  'more reserved than allowed': web('mem_limit: 64m\nmem_reservation: 128m'),
  'two ways to say one thing': web('cpus: 1\ndeploy:\n  resources:\n    limits:\n      cpus: "2"'),
  'a name for two containers': web('container_name: web\nscale: 2'),
  'a healthcheck that begins with a program': web('healthcheck:\n  test: ["curl", "-f", "http://localhost"]'),
  'a capability': web('cap_add: ["CAP NET"]'),
  'a security option': web('security_opt: ["no-new-privilege:true"]'),
  'a command with an open quote': web("command: sh -c 'echo hello"),
  'a file mode': web('secrets:\n  - source: token\n    mode: "rw"', 'secrets:\n  token: {file: ./token}\n'),
  'no image': 'services:\n  web:\n    ports: ["80"]\n',
};

const places: Topic = {
  'a word in place of a port': web('ports: ["http:80"]'),
  'a port that is too big': web('ports: ["80800:80"]'),
  'ranges of different lengths': web('ports: ["8000-8002:80-81"]'),
  'a range that ends before it begins': web('ports: ["8010-8000:80"]'),
  'too many colons': web('ports: ["1:2:3:4"]'),
  'one port for two services': {
    files:
      'services:\n  web:\n    image: nginx\n    ports: ["8080:80"]\n  api:\n    image: node\n    ports: ["8080:3000"]\n',
    request: {requireSources: true},
  },
  'a protocol': web('ports:\n  - target: 53\n    protocol: upd'),
  'a relative target': web('volumes: ["./data:data"]'),
  'an unknown option of a volume': web('volumes: ["./data:/data:readonly"]'),
  'a volume with four parts': web('volumes: ["./a:/b:ro:z"]'),
  'a bind mount without a source': web('volumes:\n  - type: bind\n    target: /data'),
  'a tmpfs with a relative path': web('tmpfs: run'),
  'a type of a volume': web('volumes:\n  - type: bnd\n    source: .\n    target: /data'),
};

const references: Topic = {
  'a mistyped service': web('depends_on: [bd]', '  db: {image: postgres}\n'),
  'a mistyped network': web('networks: [frnt]', 'networks:\n  front:\n'),
  'a network that is nowhere': web('networks: [front]'),
  'a mistyped volume': web('volumes: ["dta:/data"]', 'volumes:\n  data:\n'),
  'a secret that is nowhere': web('secrets: [token]'),
  'a config that is nowhere': web('configs: [settings]'),
  'a service with a profile that is not active': web(
    'depends_on: [debug]',
    '  debug:\n    image: busybox\n    profiles: [tools]\n',
  ),
  'settings of a dependency with profiles that are not active': web(
    'depends_on:\n  debug:\n    condition: service_healthy',
    '  debug:\n    image: busybox\n    profiles: [tools, dev]\n',
  ),
  'networks and a network mode': web('network_mode: host\nnetworks: [front]', 'networks:\n  front:\n'),
  'the network of an unknown service': web('network_mode: service:vpn'),
  'a circle of services':
    'services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n  c: {image: x, depends_on: [a]}\n',
  'a service that depends on itself': web('depends_on: [web]'),
  'a service that is asked for and unknown': {files: web('ports: ["80"]'), request: {services: ['wbe']}},
  'two containers of one name':
    'services:\n  a: {image: x, container_name: same}\n  b: {image: x, container_name: same}\n',
  'something beside external': web(
    'volumes: ["data:/data"]',
    'volumes:\n  data:\n    external: true\n    driver: local\n',
  ),
  'a config with two contents': web('configs: [c]', 'configs:\n  c:\n    file: ./c.txt\n    content: hello\n'),
};

const otherFiles: Topic = {
  'an environment file is missing': web('env_file: app.env'),
  'an environment file with an odd line': {
    files: {'compose.yaml': web('env_file: app.env'), 'app.env': 'GOOD=1\nB AD=2\n'},
  },
  'an environment file with an open quote': {files: {'compose.yaml': web('env_file: app.env'), 'app.env': 'A="b\n'}},
  'an --env-file is missing': {files: web('ports: ["80"]'), request: {environmentFiles: ['prod.env']}},
  'a label file is missing': web('label_file: app.labels'),
  'a seccomp profile that is not there': {
    files: web('security_opt: ["seccomp=./profile.json"]'),
    request: {requireSources: true},
  },
  'the file of a secret is missing': {
    files: web('secrets: [token]', 'secrets:\n  token:\n    file: ./token.txt\n'),
    request: {requireSources: true},
  },
  'the variable of a secret is not set': {
    files: web('secrets: [token]', 'secrets:\n  token:\n    environment: API_TOKEN\n'),
    request: {requireSources: true},
  },
  'a stack file that is named is missing': {
    files: web('ports: ["80"]'),
    request: {files: ['compose.yml', 'none.yaml']},
  },
  'there is no stack file': {files: {'other.txt': ''}},
  'an included file is missing': 'include:\n  - ./none/compose.yaml\nservices:\n  web: {image: nginx}\n',
  'files include each other': {
    files: {
      'compose.yaml': 'include: [b.yaml]\nservices: {a: {image: x}}\n',
      'b.yaml': 'include: [compose.yaml]\nservices: {b: {image: x}}\n',
    },
  },
  'a service extends one that is nowhere': web('extends: bse', '  base: {image: nginx}\n'),
  'a service extends one of another file that is missing': web('extends:\n  file: common.yaml\n  service: base'),
  'services extend each other': 'services:\n  a: {extends: b}\n  b: {extends: a}\n',
  'two included files define one service': {
    files: {
      'compose.yaml': 'include: [a.yaml, b.yaml]\n',
      'a.yaml': 'services:\n  web: {image: nginx}\n',
      'b.yaml': 'services:\n  web: {image: apache}\n',
    },
  },
};

/** Two files on top of each other. */
const over = (first: string, second: string): GalleryCase => ({
  files: {'compose.yaml': first, 'over.yaml': second},
  request: {files: ['compose.yaml', 'over.yaml']},
});

const merging: Topic = {
  'a mistyped tag': over(web('ports: ["80:80"]'), 'services:\n  web:\n    ports: !rest []\n'),
  'what is needed is taken away': over(web('ports: ["80:80"]'), 'services:\n  web:\n    image: !reset null\n'),
  'a service that is named unlike the one it should change': over(
    web('ports: ["80:80"]'),
    'services:\n  webb:\n    ports: ["81:80"]\n',
  ),
  'a service is taken away that another needs': over(
    web('depends_on: [db]', '  db: {image: postgres}\n'),
    'services:\n  db: !reset null\n',
  ),
  'a value is put in place of another kind': over(
    web('ports: ["80:80"]'),
    'services:\n  web:\n    ports: !override "81:80"\n',
  ),
  'files that agree on no limit': over(web('mem_limit: 64m'), 'services:\n  web:\n    mem_reservation: 128m\n'),
  'two ways to say one thing, in two files': over(
    web('network_mode: host'),
    'services:\n  web:\n    networks: [front]\nnetworks:\n  front:\n',
  ),
  'an anchor of another file': over(web('labels: &labels {a: b}'), 'services:\n  web:\n    annotations: *labels\n'),
  'a circle of two files': over(
    web('depends_on: [db]', '  db: {image: postgres}\n'),
    'services:\n  db:\n    depends_on: [web]\n',
  ),
};

const variables: Topic = {
  'a required variable without a message': web('hostname: ${HOST?}'),
  'a required variable with a message': web('hostname: "${HOST:?say which host}"'),
  'a brace is not closed': web('hostname: ${HOST'),
  'a name that cannot be': web('hostname: ${1HOST}'),
  'an empty name': web('hostname: ${}'),
  'an operator that is none': web('hostname: ${HOST/a/b}'),
  'a value that is wrong behind a variable': {
    files: web('mem_limit: ${LIMIT}'),
    request: {environment: {LIMIT: 'lots'}},
  },
  'a value that is wrong in .env': {
    files: {'compose.yaml': web('mem_limit: ${LIMIT}'), '.env': 'NAME=shop\nLIMIT=lots\n'},
  },
  'a port out of a variable': {files: web('ports: ["${PORT:-http}:80"]')},
  'a port out of two variables': {
    files: {'compose.yaml': web('ports: ["${ADDRESS}:${PORT}:80"]'), '.env': 'ADDRESS=local\nPORT=80\n'},
  },
  'a project name out of a variable': {
    files: web('hostname: a'),
    request: {environment: {COMPOSE_PROJECT_NAME: 'My Shop'}},
  },
  'a project name': {files: web('hostname: a'), request: {projectName: 'My Shop'}},
};

const engine: Topic = Object.fromEntries(
  Object.entries({
    'another mapping of users': web('userns_mode: keep-id'),
    'a kernel setting of the machine': web('sysctls:\n  kernel.panic: 1'),
    'a log driver': web('logging:\n  driver: gelf'),
    'a network driver': web('networks: [far]', 'networks:\n  far:\n    driver: overlay\n'),
    'a volume with a quota': web(
      'volumes: ["data:/data"]',
      'volumes:\n  data:\n    driver_opts: {size: 1g, mountpoint: /srv/data}\n',
    ),
    'an external secret': web('secrets: [token]', 'secrets:\n  token:\n    external: true\n'),
    'several at once': web('runtime: runsc\nstorage_opt: {size: 1g}\nisolation: process'),
  }).map(([name, files]) => [name, {files, up: true} as const]),
);

/** By topic, which is the name of the file with the texts. */
export const gallery: Readonly<Record<string, Topic>> = {
  syntax,
  keys,
  types,
  values,
  'ports-and-volumes': places,
  references,
  files: otherFiles,
  merging,
  variables,
  engine,
};
