import type {BuildDockerfile} from '../../api/types/build.ts';
import {TscomposeError} from '../../base/errors.ts';
import {checkDockerfile} from '../../dockerfile/check.ts';
import {type BuildOutline, listTargets, outlineTarget, type TargetOutline} from '../../dockerfile/outline.ts';
import type {DockerfileSource} from '../../dockerfile/source.ts';
import type {CliContext} from '../context.ts';
import {printProblems} from '../print-problems.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';
import {wrongFlag} from './options.ts';

/** What is to be told of a Dockerfile in place of building it. */
export interface Call {
  readonly method: 'check' | 'outline' | 'targets';
  readonly json: boolean;
}

/** `check`, `outline,format=json`; undefined: `build`, which is what is done anyway. */
export function readCall({call = 'build', check}: {readonly call?: string; readonly check: boolean}): Call | undefined {
  const [method = '', ...settings] = call.split(',');
  const [format, more] = settings;
  const json = format === 'format=json';
  if (more !== undefined || (format !== undefined && !json && format !== 'format=text'))
    throw wrongFlag('call', call, `"${more ?? format}" is not known`, 'write --call METHOD,format=json');
  if (method === 'build') return check ? {method: 'check', json} : undefined;
  if (check && method !== 'check') throw wrongFlag('call', call, '--check says otherwise', 'leave one of them out');
  if (method === 'check' || method === 'outline' || method === 'targets') return {method, json};
  throw wrongFlag('call', call, 'it is not known', 'write build, check, outline or targets');
}

/** Throws `unsupported` for one that only a build fetches. */
export function knownText(dockerfile: BuildDockerfile): DockerfileSource {
  if ('text' in dockerfile) return dockerfile;
  const name = 'url' in dockerfile ? dockerfile.url : dockerfile.inContext;
  throw new TscomposeError('unsupported', `cannot look at ${name}: it is fetched when it is built`, {
    hint: 'fetch it, and name it with -f',
  });
}

export interface Called {
  readonly source: DockerfileSource;
  readonly target?: string | undefined;
  /** Of its context. */
  readonly ignore?: string | undefined;
  readonly arguments: Readonly<Record<string, string>>;
}

/** Tells it on standard output, and answers the exit code. No engine is needed. */
export function answerCall(
  context: CliContext,
  {method, json}: Call,
  {source, target, ignore, arguments: given}: Called,
): number {
  if (method === 'check')
    return printProblems(context, checkDockerfile(source, {buildArguments: given, ignore}), {json});
  if (method === 'targets') {
    const targets = listTargets(source);
    context.stdout.write(json ? `${JSON.stringify({targets}, null, 2)}\n` : targetsTable(context, targets));
    return 0;
  }
  const outline = outlineTarget(source, target);
  if (outline === undefined) throw unknownTarget(source, target ?? '');
  const arguments_ = outline.arguments.map((argument) => {
    const own = Object.hasOwn(given, argument.name) ? given[argument.name] : undefined;
    return own === undefined ? argument : {...argument, value: own};
  });
  const shown = {...outline, arguments: arguments_};
  context.stdout.write(json ? `${JSON.stringify(shown, null, 2)}\n` : outlineText(context, shown));
  return 0;
}

function unknownTarget(source: DockerfileSource, target: string): TscomposeError {
  const names = listTargets(source).map(nameOf).join(', ');
  const hint = names === '' ? undefined : `stages are ${names}`;
  return new TscomposeError('notFound', `${source.shown}: no stage is called "${target}"`, {hint});
}

function nameOf({name, index}: TargetOutline): string {
  return name ?? String(index);
}

function targetsTable(context: CliContext, targets: readonly TargetOutline[]): string {
  return table(
    context,
    ['TARGET', 'FROM', 'DESCRIPTION'],
    targets.map((target) => [
      `${nameOf(target)}${target.default ? ' (default)' : ''}`,
      target.base,
      target.description ?? '',
    ]),
  );
}

function outlineText(context: CliContext, {target, arguments: given, secrets, agents}: BuildOutline): string {
  const keys = (title: string, rows: BuildOutline['secrets']) =>
    rows.length === 0
      ? []
      : [
          table(
            context,
            [title, 'REQUIRED'],
            rows.map(({id, required}) => [id, required ? 'yes' : 'no']),
          ),
        ];
  const head = [
    `target: ${nameOf(target)}`,
    ...(target.description === undefined ? [] : [`description: ${target.description}`]),
  ];
  const rows = given.map(({name, value, description}) => [name, value ?? '', description ?? '']);
  return [
    `${head.join('\n')}\n`,
    ...(rows.length === 0 ? [] : [table(context, ['BUILD ARG', 'VALUE', 'DESCRIPTION'], rows)]),
    ...keys('SECRET', secrets),
    ...keys('SSH', agents),
  ].join('\n');
}

function table(context: CliContext, header: readonly string[], rows: readonly (readonly string[])[]): string {
  return formatTable(header, rows, {columns: terminalColumns(context), drop: ['DESCRIPTION', 'FROM']});
}
