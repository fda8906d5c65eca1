import {exitCodes} from '../../base/errors.ts';
import {emptyMemory} from '../../plan/input.ts';
import {planUp} from '../../plan/up.ts';
import {lowerProject} from '../../reconcile/lowering.ts';
import {observe} from '../../reconcile/observe.ts';
import {planJson} from '../../report/plan-json.ts';
import {renderPlan} from '../../report/plan-text.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {loadStack, scaled, withEngine} from '../session.ts';

export async function runPlan(context: CliContext, {flags, args}: Input<'plan'>): Promise<number> {
  const project = scaled(await loadStack(context, {services: args, requireSources: true}), flags.scale);
  return withEngine(context, async (docker) => {
    const {desired} = lowerProject(project, {features: await docker.features(), version: context.version});
    const observed = await observe(docker, project.name, {project, compare: true});
    const plan = planUp({
      project,
      desired,
      observed,
      memory: emptyMemory,
      options: {
        ...(args.length > 0 && {services: args}),
        ...(flags['force-recreate'] && {recreate: 'force' as const}),
        removeOrphans: flags['remove-orphans'],
      },
    });
    if (flags.format === 'json') context.stdout.write(`${JSON.stringify(planJson(plan))}\n`);
    else {
      const width = context.stdout.columns ?? 120;
      // What a remote engine does with ports is its own setting.
      const remote = (context.global.host ?? context.env['TSCOMPOSE_HOST']) !== undefined;
      const publishAddress = remote ? undefined : context.env['TSCOMPOSE_PUBLISH'];
      context.stdout.write(renderPlan(plan, {color: context.color(context.stdout), width, project, publishAddress}));
    }
    return flags['exit-code'] && plan.nodes.length > 0 ? exitCodes.planHasChanges : exitCodes.success;
  });
}
