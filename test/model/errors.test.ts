import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {failure} from './memory-files.ts';

const corpus = new URL('./corpus', import.meta.url).pathname;

async function problems(name: string): Promise<readonly string[]> {
  const files: Record<string, string> = {};
  for (const file of readdirSync(join(corpus, 'files')))
    files[`/stack/files/${file}`] = readFileSync(join(corpus, 'files', file), 'utf8');
  files['/stack/compose.yaml'] = readFileSync(join(corpus, `${name}.yaml`), 'utf8');
  const error = await failure(files);
  const told = error.diagnostics.filter(({severity}) => severity === 'error');
  if (told.length === 0) return [`${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`];
  return told.map(
    ({file, line, column, message, hint}) =>
      `${file}:${line}:${column} ${message}${hint === undefined ? '' : ` (${hint})`}`,
  );
}

/** Whole sentences, with place and hint: what a person reads is part of what is promised. */
const sentences: Readonly<Record<string, readonly string[]>> = {
  'bad-anchor': [
    'compose.yaml:2:8 *nothing: no anchor &nothing is defined above it in this file (define it above: NAME: &nothing VALUE; anchors of other files do not count)',
  ],
  'bad-boolean': ['compose.yaml:2:23 services.a.init: "maybe" is neither true nor false (write true or false)'],
  'bad-build-dockerfile-twice': [
    'compose.yaml:2:16 services.web.build: dockerfile and dockerfile_inline cannot be used together (remove one of them)',
  ],
  'bad-build-platform': [
    'compose.yaml:2:29 services.web: it runs on linux/amd64, and is built for linux/arm64 (add linux/amd64 to the platforms)',
  ],
  'bad-build-secret': [
    'compose.yaml:2:39 services.web: the secret "nothing" is not defined (define it below "secrets:" at the top level)',
  ],
  'bad-cgroup': ['compose.yaml:2:27 services.web.cgroup: "shared" is not one of host, private (write one of them)'],
  'bad-command-quote': [
    'compose.yaml:2:26 services.a.command: cannot be split into words: it has no closing " (add a closing ", or write a list: ["program", "argument"])',
  ],
  'bad-condition': [
    'compose.yaml:2:45 services.a.depends_on.b.condition: "service_helthy" is not one of service_started, service_healthy, service_completed_successfully (did you mean "service_healthy"?)',
  ],
  'bad-config-two-contents': [
    'compose.yaml:3:15 configs.c1: file and content cannot be used together (give only one of file, content, environment)',
  ],
  'bad-config-without-content': [
    'compose.yaml:3:15 configs.c1: it has no content (give one of file, content, environment)',
  ],
  'bad-container-name-twice': [
    'compose.yaml:3:33 services.b: the container name "same" is taken by services.a (give each its own name)',
  ],
  'bad-cpus-conflict': [
    'compose.yaml:2:17 services.a: cpus and deploy.resources.limits.cpus contradict each other: 1 and 2 (remove one of them)',
  ],
  'bad-credential-member': [
    'compose.yaml:2:37 services.web.credential_spec: unknown attribute "path" (remove it, or rename it "x-path" if it is your own extension)',
  ],
  'bad-cycle': [
    'compose.yaml:4:30 services depend on each other in a circle: a → b → c → a (remove one of these dependencies)',
  ],
  'bad-device-text': [
    'compose.yaml:2:29 services.web.devices: "/dev/a:/dev/b:r:w" is not a device (write HOST[:CONTAINER[:PERMISSIONS]], like /dev/ttyUSB0:/dev/serial:rw)',
  ],
  'bad-duplicate-key': ['compose.yaml:4:5 "image" is given twice (keep one of the two)'],
  'bad-duration': [
    'compose.yaml:2:36 services.a.stop_grace_period: "10" is not a duration: a number has no unit (write a number with a unit, like 30s or 1m30s)',
    'compose.yaml:2:80 services.a.healthcheck.interval: "soon" is not a duration (write a number with a unit, like 30s or 1m30s)',
  ],
  'bad-duration-type': [
    'compose.yaml:2:36 services.a.stop_grace_period: expected a duration like 30s, found the number 10 (add a unit: 10s)',
  ],
  'bad-env-file-missing': [
    'compose.yaml:2:27 cannot read environment file "files/none.env": no such file (create the file, or make it optional: env_file: [{path: files/none.env, required: false}])',
  ],
  'bad-env-file-quote': ['files/unterminated.env:1:3 a quoted value has no closing quote (add a closing " at the end)'],
  'bad-env-file-syntax': [
    'files/bad.env:2:1 the name of a variable cannot contain a space: "B AD" (a line is KEY=value; a comment begins with #)',
  ],
  'bad-environment-item': [
    'compose.yaml:2:36 services.a.environment[1]: expected a string like KEY=value, found a mapping (write B=2)',
  ],
  'bad-external-volume': [
    'compose.yaml:3:32 volumes.v1: "driver" and "external" cannot be used together (remove "driver", or remove "external" if it is to be created here)',
  ],
  'bad-gpus': ['compose.yaml:2:25 services.web.gpus: "none" is not a number of GPUs (write all, or a list)'],
  'bad-gpus-count-and-ids': [
    'compose.yaml:2:26 services.web.gpus: count and device_ids cannot be used together (say how many, or which ones)',
  ],
  'bad-healthcheck-test': [
    'compose.yaml:2:37 services.a.healthcheck.test: a list begins with "CMD", "CMD-SHELL" or "NONE", not with "curl" (write ["CMD", "curl", …])',
  ],
  'bad-hook-without-command': ['compose.yaml:2:32 services.web.post_start[0]: "command" is missing (add command: …)'],
  'bad-interpolation': [
    'compose.yaml:2:17 "${" has no closing "}" (add a closing }, or write $$ for a plain dollar sign)',
  ],
  'bad-label-file-missing': [
    'compose.yaml:2:31 cannot read label file "files/nothing.env": no such file (create the file, or remove "label_file")',
  ],
  'bad-link': ['compose.yaml:2:27 services.web: the service "bd" is not defined (did you mean "db"?)'],
  'bad-link-to-itself': ['compose.yaml:2:27 services.web: it depends on itself (remove this dependency)'],
  'bad-memory-conflict': [
    'compose.yaml:2:17 services.a: mem_limit and deploy.resources.limits.memory contradict each other: 1048576 and 2097152 (remove one of them)',
  ],
  'bad-model': [
    'compose.yaml:2:28 services.web: the model "llm" is not defined (define it below "models:" at the top level)',
  ],
  'bad-model-without-model': ['compose.yaml:3:10 models.llm: "model" is missing (add model: …)'],
  'bad-network-mode-and-networks': [
    'compose.yaml:2:17 services.a: network_mode and networks cannot be used together (remove one of them)',
  ],
  'bad-network-mode-service': ['compose.yaml:2:33 services.web: the service "bd" is not defined (did you mean "db"?)'],
  'bad-no-image': ['compose.yaml:2:3 services.web: "image" is missing (add image: NAME)'],
  'bad-not-a-mapping': [
    'compose.yaml:1:1 the stack file: expected a mapping with services, found a list (write "services:" in place of "- services")',
  ],
  'bad-null-dns': [
    'compose.yaml:5:9 services.a.dns: expected a string or a list, found nothing (give it a value, or remove it)',
  ],
  'bad-null-environment': [
    'compose.yaml:5:17 services.a.environment: expected KEY: value pairs or a list of KEY=value, found nothing (write KEY: value lines below it, indented, or remove it)',
  ],
  'bad-null-healthcheck': [
    'compose.yaml:5:17 services.a.healthcheck: expected a mapping, found nothing (give it a value, or remove it)',
  ],
  'bad-null-init': [
    'compose.yaml:5:10 services.a.init: expected true or false, found nothing (give it a value, or remove it)',
  ],
  'bad-null-networks': [
    'compose.yaml:5:14 services.a.networks: expected a list of names or a mapping, found nothing (give it a value, or remove it)',
  ],
  'bad-null-ports': [
    'compose.yaml:5:11 services.a.ports: expected a list, found nothing (give it a value, or remove it)',
  ],
  'bad-number': ['compose.yaml:2:23 services.a.cpus: "many" is not a number (write a number like 2 or 0.5)'],
  'bad-optional-dependency-undefined': [
    'compose.yaml:2:30 services.a: the service "nowhere" is not defined (define it below "services:" at the top level)',
  ],
  'bad-pid-service': [
    'compose.yaml:2:24 services.web: the service "nothing" is not defined (define it below "services:" at the top level)',
  ],
  'bad-port': [
    'compose.yaml:2:25 services.a.ports: "http" is not a container port (write [ADDRESS:][HOST_PORT:]CONTAINER_PORT[/PROTOCOL], like 127.0.0.1:8080:80/tcp)',
  ],
  'bad-port-ranges': [
    'compose.yaml:2:25 services.a.ports: the ranges 8000-8002 (3 ports) and 80-81 (2 ports) differ in length (make them equally long, like 8000-8001:80-81)',
  ],
  'bad-profile-dependency': [
    'compose.yaml:2:30 services.a: it depends on "b", which belongs to the inactive profile "p" (add --profile p, or make it optional: depends_on: {b: {condition: service_started, required: false}})',
  ],
  'bad-provider-without-type': ['compose.yaml:2:9 services.web.provider: "type" is missing (add type: …)'],
  'bad-required-variable': [
    'compose.yaml:2:17 required variable TAG is missing a value: set the tag (set it in .env or in the environment)',
  ],
  'bad-scale-and-replicas': [
    'compose.yaml:2:17 services.a: scale and deploy.replicas contradict each other: 1 and 2 (remove one of them)',
  ],
  'bad-self-dependency': ['compose.yaml:2:30 services.a: it depends on itself (remove this dependency)'],
  'bad-service-name': [
    'compose.yaml:2:3 services: "we b" cannot be a name (a name has letters, digits, ".", "_" and "-")',
  ],
  'bad-service-null': [
    'compose.yaml:2:7 services.web: expected a mapping, found nothing (write its settings below it, indented: image: NAME)',
  ],
  'bad-size': [
    'compose.yaml:2:28 services.a.mem_limit: "lots" is not a size (write a number with a unit, like 512m or 1g)',
  ],
  'bad-storage-opt-list': [
    'compose.yaml:2:32 services.web.storage_opt: expected a mapping, found a list (write "a: 1" in place of "- a=1")',
  ],
  'bad-syntax': ['compose.yaml:2:8 not valid YAML: a { has no closing } (add a } where it ends)'],
  'bad-tab': ['compose.yaml:3:1 a tab indents this line, and YAML allows only spaces (replace the tab with spaces)'],
  'bad-top-level': [
    'compose.yaml:1:1 unknown attribute "web" at the top level (it looks like a service: write it below "services:")',
  ],
  'bad-types': [
    'compose.yaml:3:12 services.web.image: expected a string, found a list (write it without the list: x)',
    'compose.yaml:4:11 services.web.user: expected a string, found the number 1000 (put it into quotes: "1000")',
    'compose.yaml:5:12 services.web.ports: expected a list, found the string "80:80" (write a list: ["80:80"])',
    'compose.yaml:6:18 services.web.environment: expected KEY: value pairs or a list of KEY=value, found the string "text" (write lines of KEY: value, or a list of KEY=value)',
    'compose.yaml:7:14 services.web.command: expected a string or a list, found a mapping (write a string or a list, not NAME: value)',
    'compose.yaml:8:17 services.web.depends_on: expected a list of names or a mapping, found the string "db" (write a list: [db])',
    'compose.yaml:9:13 services.web.deploy: expected a mapping, found the number 3 (write lines of NAME: value below it)',
  ],
  'bad-ulimit': ['compose.yaml:2:27 services.a.ulimits.nofile: "hard" is missing (add hard: …)'],
  'bad-undefined-config': [
    'compose.yaml:2:29 services.web: the config "nothing" is not defined (define it below "configs:" at the top level)',
  ],
  'bad-undefined-dependency': ['compose.yaml:2:32 services.web: the service "bd" is not defined (did you mean "db"?)'],
  'bad-undefined-network': [
    'compose.yaml:2:30 services.web: the network "frnt" is not defined (did you mean "front"?)',
  ],
  'bad-undefined-secret': [
    'compose.yaml:2:29 services.web: the secret "token" is not defined (define it below "secrets:" at the top level)',
  ],
  'bad-undefined-volume': ['compose.yaml:2:29 services.web: the volume "dta" is not defined (did you mean "data"?)'],
  'bad-unknown-key': [
    'compose.yaml:4:5 services.web: unknown attribute "enviroment" (did you mean "environment"?)',
    'compose.yaml:5:19 services.web.healthcheck: unknown attribute "intervall" (did you mean "interval"?)',
    'compose.yaml:6:8 services.db: unknown attribute "imag" (did you mean "image"?)',
  ],
  'bad-update-order': [
    'compose.yaml:2:51 services.web.deploy.update_config.order: "whenever" is not one of stop-first, start-first (write one of them)',
  ],
  'bad-volume-with-four-parts': [
    'compose.yaml:2:27 services.a.volumes: "./a:/b:ro:d" has more than three parts (write [SOURCE:]TARGET[:OPTION,…], like ./data:/data:ro,z)',
  ],
  'bad-volumes-from': [
    'compose.yaml:2:34 services.web: the service "nothing" is not defined (define it below "services:" at the top level)',
  ],
  'bad-watch-action': [
    'compose.yaml:5:45 services.a.develop.watch[0].action: "reload" is not one of rebuild, sync, restart, sync+restart, sync+exec (write one of them)',
  ],
  'bad-watch-without-target': [
    'compose.yaml:5:23 services.a.develop.watch: the action "sync+restart" needs a target (add target: where the files are put in the container, like /app)',
  ],
};

describe('problems as they are told', () => {
  it('covers every stack file of the corpus that is wrong', () => {
    const wrong = readdirSync(corpus)
      .filter((file) => file.startsWith('bad-'))
      .map((file) => file.slice(0, -5));
    expect(Object.keys(sentences).sort()).toEqual(wrong.sort());
  });

  for (const [name, expected] of Object.entries(sentences)) {
    it(name, async () => {
      expect(await problems(name)).toEqual(expected);
    });
  }
});
