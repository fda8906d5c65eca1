import {type CommandRow, defineCommand} from './command.ts';
import {commandFlags} from './flags.ts';

const services = '[SERVICE...]';

/** Every command a person can type. Their code is loaded only when they run. */
export const commands: readonly CommandRow[] = [
  defineCommand({
    name: 'up',
    summary: 'create and start the services of the stack, changing only what differs',
    args: services,
    flags: commandFlags.up,
    examples: ['tscompose up', 'tscompose up -d --wait', 'tscompose up --scale web=3 web'],
    run: async (context, input) => (await import('./commands/up.ts')).runUp(context, input),
  }),
  defineCommand({
    name: 'down',
    summary: 'stop and remove the containers and networks of the stack',
    args: services,
    flags: commandFlags.down,
    examples: ['tscompose down', 'tscompose down -v'],
    run: async (context, input) => (await import('./commands/down.ts')).runDown(context, input),
  }),
  defineCommand({
    name: 'plan',
    summary: 'show what up would change and why, and change nothing',
    args: services,
    flags: commandFlags.plan,
    run: async (context, input) => (await import('./commands/plan.ts')).runPlan(context, input),
  }),
  defineCommand({
    name: 'ps',
    summary: 'list the containers of the stack',
    args: services,
    flags: commandFlags.ps,
    run: async (context, input) => (await import('./commands/ps.ts')).runPs(context, input),
  }),
  defineCommand({
    name: 'logs',
    summary: 'print the output of the services',
    args: services,
    flags: commandFlags.logs,
    run: async (context, input) => (await import('./commands/logs.ts')).runLogs(context, input),
  }),
  defineCommand({
    name: 'exec',
    summary: 'run a command in a running container of a service',
    args: 'SERVICE COMMAND [ARGS...]',
    passThrough: true,
    flags: commandFlags.exec,
    examples: ['tscompose exec web sh', 'tscompose exec -T db pg_dump -U postgres shop > shop.sql'],
    run: async (context, input) => (await import('./commands/exec.ts')).runExec(context, input),
  }),
  defineCommand({
    name: 'stop',
    summary: 'stop services without removing them',
    args: services,
    flags: commandFlags.stop,
    run: async (context, input) => (await import('./commands/lifecycle.ts')).runStop(context, input),
  }),
  defineCommand({
    name: 'start',
    summary: 'start services that were stopped',
    args: services,
    flags: commandFlags.start,
    run: async (context, input) => (await import('./commands/lifecycle.ts')).runStart(context, input),
  }),
  defineCommand({
    name: 'restart',
    summary: 'restart services as they are (up applies changes of the stack file)',
    args: services,
    flags: commandFlags.restart,
    run: async (context, input) => (await import('./commands/lifecycle.ts')).runRestart(context, input),
  }),
  defineCommand({
    name: 'config',
    summary: 'print the resolved stack, or check it with --quiet',
    args: services,
    flags: commandFlags.config,
    run: async (context, input) => (await import('./commands/config.ts')).runConfig(context, input),
  }),
  defineCommand({
    name: 'load',
    summary: 'load images from an archive or an OCI layout directory',
    args: '[DIRECTORY]',
    flags: commandFlags.load,
    examples: [
      'tscompose load -i redis.tar',
      'tscompose load ./oci-layout',
      'tscompose load --import base:1 -i rootfs.tar',
    ],
    run: async (context, input) => (await import('./commands/load.ts')).runLoad(context, input),
  }),
  defineCommand({
    name: 'images',
    summary: 'list the images that the services of the stack use, or all with --all',
    args: services,
    flags: commandFlags.images,
    run: async (context, input) => (await import('./commands/images.ts')).runImages(context, input),
  }),
  defineCommand({
    name: 'version',
    summary: 'show the version',
    args: '',
    flags: commandFlags.version,
    run: async (context, input) => (await import('./commands/version.ts')).runVersion(context, input),
  }),
];
