/** What each command is for, and what it takes: for help, docs and completion. */
export const commandSummaries = {
  up: {summary: 'create and start the services of the stack, changing only what differs', args: '[SERVICE...]'},
  down: {summary: 'stop and remove the containers and networks of the stack', args: '[SERVICE...]'},
  plan: {summary: 'show what up would change and why, and change nothing', args: '[SERVICE...]'},
  ps: {summary: 'list the containers of the stack', args: '[SERVICE...]'},
  logs: {summary: 'print the output of the services', args: '[SERVICE...]'},
  exec: {summary: 'run a command in a running container of a service', args: 'SERVICE COMMAND [ARGS...]'},
  stop: {summary: 'stop services without removing them', args: '[SERVICE...]'},
  start: {summary: 'start services that were stopped', args: '[SERVICE...]'},
  restart: {summary: 'restart services as they are (up applies changes of the stack file)', args: '[SERVICE...]'},
  diff: {summary: 'compare two resolved stacks, the gravest differences first', args: '[FILE FILE]'},
  lint: {summary: 'check the stack files and warn of what is obsolete or likely wrong', args: ''},
  schema: {summary: 'print the JSON schema of stack files, for editors', args: ''},
  config: {summary: 'print the resolved stack, or check it with --quiet', args: '[SERVICE...]'},
  load: {summary: 'load images from an archive or an OCI layout directory', args: '[DIRECTORY]'},
  images: {summary: 'list the images that the services of the stack use, or all with --all', args: '[SERVICE...]'},
  version: {summary: 'show the version', args: ''},
} as const;
