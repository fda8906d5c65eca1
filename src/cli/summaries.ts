import {builderSummaries} from './builder-flags.ts';
import {imageSummaries} from './image-flags.ts';
import {resourceSummaries} from './resource-flags.ts';

const pull = {summary: 'pull an image from a registry', args: 'IMAGE'} as const;
const push = {summary: 'push an image to a registry', args: 'IMAGE'} as const;
const build = {summary: 'build an image from a Dockerfile', args: 'CONTEXT'} as const;

/** What each command is for, and what it takes: for help, docs and completion. */
export const commandSummaries = {
  up: {summary: 'create and start the services of the stack, changing only what differs', args: '[SERVICE...]'},
  build: {summary: 'build the images of services', args: '[SERVICE...]'},
  watch: {summary: 'copy files into the containers and restart services as they are saved', args: '[SERVICE...]'},
  down: {summary: 'stop and remove the containers and networks of the stack', args: '[SERVICE...]'},
  plan: {summary: 'show what up would change and why, and change nothing', args: '[SERVICE...]'},
  ps: {summary: 'list the containers of the stack', args: '[SERVICE...]'},
  logs: {summary: 'print the output of the services', args: '[SERVICE...]'},
  exec: {summary: 'run a command in a running container of a service', args: 'SERVICE COMMAND [ARGS...]'},
  run: {
    summary: 'run a command in a new container of a service, beside those that it has',
    args: 'SERVICE [COMMAND] [ARGS...]',
  },
  cp: {
    summary: 'copy files between a service (SERVICE:PATH) and this machine (a path, or "-" for a tar archive)',
    args: 'SOURCE DESTINATION',
  },
  port: {summary: 'print where ports of a service are published', args: 'SERVICE [PORT[/PROTOCOL]]'},
  ls: {summary: 'list the projects that have containers', args: ''},
  kill: {summary: 'end services at once, or send them a signal', args: '[SERVICE...]'},
  rm: {summary: 'remove containers of services that do not run', args: '[SERVICE...]'},
  commit: {summary: 'make an image of what a container of a service is now', args: 'SERVICE [REPOSITORY[:TAG]]'},
  attach: {summary: 'connect this terminal to the main process of a service', args: 'SERVICE'},
  stats: {summary: 'show what the containers use: processors, memory, network, disk', args: '[SERVICE...]'},
  top: {summary: 'list the processes of the services', args: '[SERVICE...]'},
  events: {summary: 'show what happens to the containers as it happens', args: '[SERVICE...]'},
  stop: {summary: 'stop services without removing them', args: '[SERVICE...]'},
  start: {summary: 'start services that were stopped', args: '[SERVICE...]'},
  restart: {summary: 'restart services as they are (up applies changes of the stack file)', args: '[SERVICE...]'},
  pause: {summary: 'freeze the processes of services where they are', args: '[SERVICE...]'},
  unpause: {summary: 'let services go on that were paused', args: '[SERVICE...]'},
  diff: {summary: 'compare two resolved stacks, the gravest differences first', args: '[FILE FILE]'},
  lint: {
    summary: 'check the stack files and their Dockerfiles, and warn of what is obsolete or likely wrong',
    args: '',
  },
  schema: {summary: 'print the JSON schema of stack files, for editors', args: ''},
  config: {summary: 'print the resolved stack, or check it with --quiet', args: '[SERVICE...]'},
  load: {summary: 'load images from an archive or an OCI layout directory', args: '[DIRECTORY]'},
  pull: {summary: 'pull the images of the services', args: '[SERVICE...]'},
  lock: {summary: 'write down which image each name of the stack stands for', args: '[SERVICE...]'},
  push: {summary: 'push the images that the stack builds', args: '[SERVICE...]'},
  images: {summary: 'list the images that the services of the stack use, or all with --all', args: '[SERVICE...]'},
  ui: {summary: 'watch and control the stack on a screen of its own: services, logs, plan', args: ''},
  service: {
    summary: 'have systemd start containers at boot as their restart policies say',
    args: 'install|uninstall|status|boot',
  },
  'engine serve': {summary: 'serve the built-in engine to Docker clients, by the Engine API on a socket', args: ''},
  'engine images': imageSummaries.ls,
  'engine image ls': imageSummaries.ls,
  'engine image inspect': imageSummaries.inspect,
  'engine history': imageSummaries.history,
  'engine image history': imageSummaries.history,
  'engine rmi': imageSummaries.rm,
  'engine image rm': imageSummaries.rm,
  'engine image prune': imageSummaries.prune,
  'engine tag': imageSummaries.tag,
  'engine image tag': imageSummaries.tag,
  'engine save': imageSummaries.save,
  'engine image save': imageSummaries.save,
  'engine load': imageSummaries.load,
  'engine image load': imageSummaries.load,
  'engine import': imageSummaries.import,
  'engine image import': imageSummaries.import,
  'engine fsck': imageSummaries.fsck,
  'engine pull': pull,
  'engine image pull': pull,
  'engine push': push,
  'engine image push': push,
  'engine login': {summary: 'log in to a registry, and keep the credentials', args: '[REGISTRY]'},
  'engine logout': {summary: 'forget the credentials for a registry', args: '[REGISTRY]'},
  'engine search': {
    summary: 'search a registry for images (Docker Hub, unless the term starts with another)',
    args: 'TERM',
  },
  'engine commit': {summary: 'make an image of what a container is now', args: 'CONTAINER [REPOSITORY[:TAG]]'},
  'engine manifest inspect': {summary: 'show the manifest that a registry has under a name', args: 'IMAGE'},
  'engine system df': {summary: 'show how much space is used, and how much could be reclaimed', args: ''},
  'engine system prune': {
    summary: 'remove containers that have ended, and networks, images and results of builds that nobody uses',
    args: '',
  },
  'engine debug': {summary: 'open the shell of a step that failed, which a build --debug holds', args: 'STEP'},
  'engine build': build,
  'engine image build': build,
  ...resourceSummaries,
  'engine builder du': builderSummaries.du,
  'engine builder prune': builderSummaries.prune,
  'engine builder export': builderSummaries.export,
  'engine builder import': builderSummaries.import,
  'registry serve': {
    summary: 'serve the images of the built-in engine as a registry, to pull from and to push to',
    args: '',
  },
  completion: {summary: 'print a script that completes commands, flags and names in a shell', args: 'SHELL'},
  doctor: {
    summary:
      'check what this machine offers to containers and say how to get what is missing; ends with 1 on a problem',
    args: '',
  },
  version: {summary: 'show the version', args: ''},
} as const;

/** Commands with a second word stand together under their first one. */
export const commandGroups = {
  engine: 'work with the engine itself, without a stack',
  'engine image': 'manage the images of the engine',
  'engine network': 'manage the networks of the engine',
  'engine volume': 'manage the volumes of the engine',
  'engine builder': 'manage what builds keep',
  'engine system': 'look after the space that the engine uses',
  'engine manifest': 'look at what registries have',
  registry: 'a registry of the images of this machine',
} as const;
