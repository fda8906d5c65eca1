import {down} from '../../reconcile/commands.ts';
import type {CliContext} from '../context.ts';
import {isSet} from '../environment.ts';
import type {Input} from '../flags.ts';
import {withProgress} from '../progress.ts';
import {withProject} from '../session.ts';

export function runDown(context: CliContext, input: Input<'down'>): Promise<number> {
  const {flags, args} = input;
  return withProject(context, async ({name, project, docker}) => {
    await withProgress(context, docker, {title: `down ${name}`}, (converge) =>
      down(
        {name, project},
        {
          ...(args.length > 0 && {services: args}),
          volumes: flags.volumes,
          ...(flags.rmi !== undefined && {removeImages: flags.rmi === 'all' ? 'all' : 'local'}),
          removeOrphans: flags['remove-orphans'] || isSet(context.env, 'COMPOSE_REMOVE_ORPHANS'),
          ignoreOrphans: isSet(context.env, 'COMPOSE_IGNORE_ORPHANS'),
          ...(flags.timeout !== undefined && {timeoutSeconds: flags.timeout}),
        },
        converge,
      ),
    );
    return 0;
  });
}
