import {writeFile} from 'node:fs/promises';
import {resolve} from 'node:path';
import {epochArgument} from '../../api/build-epoch.ts';
import type {BuildBody} from '../../api/types/build.ts';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {answerCall, type Called, knownText, readCall} from '../build/call.ts';
import {followBuild} from '../build/follow-build.ts';
import {
  agentsFor,
  readAgent,
  readCaches,
  readContexts,
  readNetwork,
  readPairs,
  readSecret,
  readSize,
  readUlimit,
  wrongFlag,
} from '../build/options.ts';
import {openOutputs} from '../build/outputs.ts';
import {type BuildPlaces, readPlaces} from '../build/places.ts';
import {refuseBuilder} from '../build/refuse-builder.ts';
import type {Metadata} from '../build/run-build.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {withReporter, withStatedProgress} from '../progress.ts';
import {withEngine} from '../session.ts';

export async function runEngineBuild(outer: CliContext, input: Input<'engine build'>): Promise<number> {
  const {flags} = input;
  const context = withStatedProgress(outer, flags.progress);
  refuseBuilder(flags.builder);
  const {quiet, tag} = flags;
  const call = readCall(flags);
  if (call !== undefined) return answerCall(context, call, await calledOf(context, input));
  return withEngine(context, async (docker) => {
    await using outputs = await openOutputs(context, flags);
    using places = await readPlaces(context, placeOf(input.args), flags.file);
    const read = {...readBody(context, input, places.body), ...outputs.body};
    const body = {...read, agents: agentsFor(read, context.env)};
    const title = ['build', ...tag.slice(0, 1)].join(' ');
    const debugCommand = 'add --debug to the command';
    const metadata = await withReporter(context, {title, quiet}, ({pause, report, signal}) =>
      followBuild(context, docker, {
        ...{body, debugCommand, signal},
        ...(flags.debug && {debug: pause}),
        isHidden: (event) => event.kind === 'exported' && outputs.isPassing(event.path),
        report,
      }),
    );
    await writeResults(context, input, {metadata, isStdoutTaken: await outputs.toStdout()});
    return 0;
  });
}

async function calledOf(context: CliContext, {args, flags}: Input<'engine build'>): Promise<Called> {
  using places = await readPlaces(context, placeOf(args), flags.file);
  return {
    source: knownText(places.body.dockerfile),
    ignore: places.body.ignore,
    target: flags.target,
    arguments: readPairs('build-arg', flags['build-arg'], context.env),
  };
}

function readBody(context: CliContext, {flags}: Input<'engine build'>, places: BuildPlaces['body']): BuildBody {
  const {cwd, env} = context;
  return {
    ...places,
    ...(flags.target === undefined ? {} : {target: flags.target}),
    arguments: {...epochArgument(env), ...readPairs('build-arg', flags['build-arg'], env)},
    contexts: readContexts(flags['build-context'], cwd),
    labels: readPairs('label', flags.label, {}),
    tags: flags.tag,
    platforms: flags.platform.flatMap((words) => words.split(',')),
    noCache: flags['no-cache'] || flags['no-cache-filter'].flatMap((names) => names.split(',')),
    ...(flags.pull ? {pull: true} : {}),
    ...readCaches(flags, cwd),
    network: readNetwork(flags.network ?? 'default'),
    extraHosts: flags['add-host'].map((host) => host.replace('=', ':')),
    secrets: flags.secret.map((word) => readSecret(word, context)),
    agents: flags.ssh.map((word) => readAgent(word, context)),
    ...(flags['shm-size'] === undefined ? {} : {shmSize: readSize('shm-size', flags['shm-size'])}),
    ulimits: flags.ulimit.map(readUlimit),
    ...(flags['cgroup-parent'] === undefined ? {} : {cgroupParent: flags['cgroup-parent']}),
    allow: flags.allow.flatMap((names) => names.split(',')).map(allowed),
    explain: flags.explain,
  };
}

function placeOf([place, more]: readonly string[]): string {
  if (place !== undefined && more === undefined) return place;
  throw new TscomposeError('invalid', 'build takes one context: a directory, an address, or "-"', {
    exitCode: exitCodes.usage,
    hint: 'write: tscompose engine build -t NAME .',
  });
}

function allowed(word: string): string {
  if (word === 'network.host' || word === 'security.insecure') return word;
  throw wrongFlag('allow', word, 'it is not known', 'write network.host or security.insecure');
}

interface Results {
  readonly metadata: Metadata;
  readonly isStdoutTaken: boolean;
}

/** The image's id alone is for scripts. */
async function writeResults(
  {cwd, stdout}: CliContext,
  {flags}: Input<'engine build'>,
  {metadata, isStdoutTaken}: Results,
): Promise<void> {
  const id = metadata['containerimage.config.digest'] ?? metadata['containerimage.digest'];
  if (flags.iidfile !== undefined && typeof id === 'string') await writeFile(resolve(cwd, flags.iidfile), id);
  if (flags['metadata-file'] !== undefined) {
    const sorted = Object.fromEntries(Object.entries(metadata).sort(([one], [other]) => (one < other ? -1 : 1)));
    await writeFile(resolve(cwd, flags['metadata-file']), `${JSON.stringify(sorted, null, 2)}\n`);
  }
  if (flags.quiet && !isStdoutTaken && typeof id === 'string') stdout.write(`${id}\n`);
}
