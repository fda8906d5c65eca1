import {exitCodes} from '../../base/errors.ts';
import {planJson} from '../../report/plan-json.ts';
import {renderPlan} from '../../report/plan-text.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {honourLock} from '../lock/honour-lock.ts';
import {planNow, publishAddress} from '../plan-now.ts';
import {loadStack, scaled, withEngine} from '../session.ts';

export async function runPlan(context: CliContext, {flags, args}: Input<'plan'>): Promise<number> {
  const stated = scaled(await loadStack(context, {services: args, requireSources: true}), flags.scale);
  const {project, unpulled} = await honourLock(context, stated, flags);
  return withEngine(context, async (docker) => {
    const plan = await planNow(context, docker, {
      project,
      options: {
        ...(args.length > 0 && {services: args}),
        ...(flags['force-recreate'] && {recreate: 'force' as const}),
        ...(unpulled && {unpulled}),
        removeOrphans: flags['remove-orphans'],
      },
    });
    if (flags.format === 'json') context.stdout.write(`${JSON.stringify(planJson(plan))}\n`);
    else {
      const looks = {color: context.color(context.stdout), width: context.stdout.columns ?? 120};
      context.stdout.write(renderPlan(plan, {...looks, project, publishAddress: publishAddress(context)}));
    }
    return flags['exit-code'] && plan.nodes.length > 0 ? exitCodes.planHasChanges : exitCodes.success;
  });
}
