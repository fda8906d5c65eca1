import {type CommandRow, defineCommand} from './command.ts';
import {commandFlags} from './flags.ts';
import {commandSummaries} from './summaries.ts';

/** Every command a person can type. Their code is loaded only when they run. */
export const commands: readonly CommandRow[] = [
  defineCommand({
    name: 'up',
    ...commandSummaries.up,
    flags: commandFlags.up,
    examples: ['tscompose up', 'tscompose up -d --wait', 'tscompose up --scale web=3 web'],
    run: async (context, input) => (await import('./commands/up.ts')).runUp(context, input),
  }),
  defineCommand({
    name: 'watch',
    ...commandSummaries.watch,
    flags: commandFlags.watch,
    examples: ['tscompose watch', 'tscompose watch --no-up web', 'tscompose up --watch'],
    run: async (context, input) => (await import('./commands/watch.ts')).runWatch(context, input),
  }),
  defineCommand({
    name: 'down',
    ...commandSummaries.down,
    flags: commandFlags.down,
    examples: ['tscompose down', 'tscompose down -v'],
    run: async (context, input) => (await import('./commands/down.ts')).runDown(context, input),
  }),
  defineCommand({
    name: 'plan',
    ...commandSummaries.plan,
    flags: commandFlags.plan,
    run: async (context, input) => (await import('./commands/plan.ts')).runPlan(context, input),
  }),
  defineCommand({
    name: 'ps',
    ...commandSummaries.ps,
    flags: commandFlags.ps,
    run: async (context, input) => (await import('./commands/ps.ts')).runPs(context, input),
  }),
  defineCommand({
    name: 'logs',
    ...commandSummaries.logs,
    flags: commandFlags.logs,
    run: async (context, input) => (await import('./commands/logs.ts')).runLogs(context, input),
  }),
  defineCommand({
    name: 'exec',
    ...commandSummaries.exec,
    passThrough: true,
    flags: commandFlags.exec,
    examples: ['tscompose exec web sh', 'tscompose exec -T db pg_dump -U postgres shop > shop.sql'],
    run: async (context, input) => (await import('./commands/exec.ts')).runExec(context, input),
  }),
  defineCommand({
    name: 'stop',
    ...commandSummaries.stop,
    flags: commandFlags.stop,
    run: async (context, input) => (await import('./commands/lifecycle.ts')).runStop(context, input),
  }),
  defineCommand({
    name: 'start',
    ...commandSummaries.start,
    flags: commandFlags.start,
    run: async (context, input) => (await import('./commands/lifecycle.ts')).runStart(context, input),
  }),
  defineCommand({
    name: 'restart',
    ...commandSummaries.restart,
    flags: commandFlags.restart,
    run: async (context, input) => (await import('./commands/lifecycle.ts')).runRestart(context, input),
  }),
  defineCommand({
    name: 'config',
    ...commandSummaries.config,
    flags: commandFlags.config,
    examples: ['tscompose config', 'tscompose config --explain services.web.ports', 'tscompose config -q'],
    run: async (context, input) => (await import('./commands/config.ts')).runConfig(context, input),
  }),
  defineCommand({
    name: 'diff',
    ...commandSummaries.diff,
    flags: commandFlags.diff,
    examples: ['tscompose diff --env staging --env production', 'tscompose diff old.yaml new.yaml'],
    run: async (context, input) => (await import('./commands/diff.ts')).runDiff(context, input),
  }),
  defineCommand({
    name: 'lint',
    ...commandSummaries.lint,
    flags: commandFlags.lint,
    examples: ['tscompose lint', 'tscompose -f stack.yaml lint --strict --format json'],
    run: async (context, input) => (await import('./commands/lint.ts')).runLint(context, input),
  }),
  defineCommand({
    name: 'schema',
    ...commandSummaries.schema,
    flags: commandFlags.schema,
    examples: ['tscompose schema > stack.schema.json'],
    run: async (context) => (await import('./commands/schema.ts')).runSchema(context),
  }),
  defineCommand({
    name: 'load',
    ...commandSummaries.load,
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
    ...commandSummaries.images,
    flags: commandFlags.images,
    run: async (context, input) => (await import('./commands/images.ts')).runImages(context, input),
  }),
  defineCommand({
    name: 'ui',
    ...commandSummaries.ui,
    flags: commandFlags.ui,
    examples: ['tscompose ui', 'tscompose up --ui'],
    run: async (context, input) => (await import('./commands/ui.ts')).runUi(context, input),
  }),
  defineCommand({
    name: 'version',
    ...commandSummaries.version,
    flags: commandFlags.version,
    run: async (context, input) => (await import('./commands/version.ts')).runVersion(context, input),
  }),
];
