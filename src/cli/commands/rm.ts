import {exitCodes} from '../../base/errors.ts';
import {rm} from '../../reconcile/commands.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {withProgress} from '../progress.ts';
import {listProjectContainers} from '../project-containers.ts';
import {askOnTerminal} from '../question.ts';
import {type ProjectSession, withProject} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

export function runRm(context: CliContext, {flags, args}: Input<'rm'>): Promise<number> {
  const {stop, volumes} = flags;
  return withProject(context, async (session) => {
    const {name, project, docker} = session;
    if (!flags.force && !(await isWanted(context, session, {services: args, all: stop}))) return exitCodes.success;
    const services = args.length === 0 ? {} : {services: args};
    await withProgress(context, docker, {title: `rm ${name}`}, (converge) =>
      rm({name, project}, {...services, stop, volumes}, converge),
    );
    return exitCodes.success;
  });
}

/** Whether the containers shall go: what was in them is lost. */
async function isWanted(
  context: CliContext,
  {name, project, docker}: ProjectSession,
  {services, all}: {readonly services: readonly string[]; readonly all: boolean},
): Promise<boolean> {
  const known = Object.keys({...project?.services, ...project?.disabledServices});
  const found = await listProjectContainers(docker, {project: name, services, all: true, known});
  const listed = found
    .filter(({summary: {State}}) => all || !['running', 'paused', 'restarting'].includes(State))
    .filter(({service}) => services.length > 0 || project === undefined || known.includes(service));
  if (listed.length === 0) return false;
  if (context.stdin.isTTY !== true || context.stderr.isTTY !== true)
    throw wrongUse('rm asks before it removes, and there is no terminal', 'write: tscompose rm --force');
  return askOnTerminal(context, `remove ${listed.map((container) => container.name).join(', ')}?`);
}
