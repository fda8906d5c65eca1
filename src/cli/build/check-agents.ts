import {existsSync} from 'node:fs';
import {agentSocket, type ServiceBuild} from '../../model/lower-build.ts';
import {placedError} from '../../model/placed-error.ts';
import type {Project} from '../../model/types.ts';
import type {CliContext} from '../context.ts';

/** Throws `notFound`, with the place in the stack file, where the agent or the key of a build's `ssh` is not there. */
export function checkAgents(
  {env}: Pick<CliContext, 'env'>,
  project: Project,
  {build, services: [service = '']}: Pick<ServiceBuild, 'build' | 'services'>,
): void {
  for (const [id, path] of Object.entries(build.ssh ?? {})) {
    const socket = agentSocket(path, env);
    const where = `services.${service}.build.ssh.${id}`;
    if (socket === '')
      throw placedError(project, where, {
        kind: 'notFound',
        message: `services.${service}: its build wants an agent for keys ("${id}"), and none runs: SSH_AUTH_SOCK is not set`,
        hint: 'start one: eval "$(ssh-agent)"',
      });
    if (!existsSync(socket))
      throw placedError(project, where, {
        kind: 'notFound',
        message: `services.${service}: its build wants an agent or a key ("${id}"), and there is no ${socket}`,
        hint:
          path === ''
            ? 'SSH_AUTH_SOCK says so: start an agent anew'
            : 'name the socket of an agent, or the file of a key',
      });
  }
}
