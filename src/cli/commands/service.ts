import {join, resolve} from 'node:path';
import {exitCodes, hasKind, TscomposeError} from '../../base/errors.ts';
import {didYouMean} from '../../base/suggest.ts';
import {createEngine} from '../../engine/create-engine.ts';
import {hashOfRoot} from '../../engine/layout.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {engineOptions} from '../open-engine.ts';
import {installUnit, type SystemdUnit, uninstallUnit, unitStatus} from '../service/systemd.ts';
import {unitText} from '../service/unit.ts';

const words = {install, uninstall, status, boot} as const;

export function runService(context: CliContext, {args, flags}: Input<'service'>): Promise<number> {
  const [word = '', further] = args;
  if (!Object.hasOwn(words, word)) {
    const names = Object.keys(words);
    throw wrongUse(
      word === '' ? '"service" needs to be told what to do' : `"service ${word}" is not known`,
      didYouMean(word, names) ?? `write one of: ${names.join(', ')}`,
    );
  }
  if (further !== undefined) throw wrongUse(`"service ${word}" takes no arguments, but "${further}" was given`);
  return words[word as keyof typeof words](context, flags);
}

function wrongUse(message: string, hint?: string): TscomposeError {
  return new TscomposeError('invalid', message, {exitCode: exitCodes.usage, hint});
}

type ServiceFlags = Input<'service'>['flags'];

async function install(context: CliContext, flags: ServiceFlags): Promise<number> {
  const unit = unitOf(context, flags);
  const text = textOf(context, unit);
  if (flags.print) {
    context.stdout.write(text);
    return 0;
  }
  await installUnit(unit, text).catch((error: unknown) => {
    if (unit.user || !hasKind(error, 'forbidden')) throw error;
    throw new TscomposeError('forbidden', error.message, {
      hint: 'only root installs a service of the machine; one of your own: tscompose service install --user',
      cause: error,
    });
  });
  context.stdout.write(`installed ${join(unit.directory, unit.name)}\n`);
  if (unit.user) context.stderr.write('it runs at your login; for the boot of the machine: loginctl enable-linger\n');
  return 0;
}

async function uninstall(context: CliContext, flags: ServiceFlags): Promise<number> {
  const unit = unitOf(context, flags);
  const was = await uninstallUnit(unit);
  context.stdout.write(was ? `removed ${join(unit.directory, unit.name)}\n` : 'the service is not installed\n');
  return 0;
}

/** 0 where it is installed, as this program would, and enabled. */
async function status(context: CliContext, flags: ServiceFlags): Promise<number> {
  const unit = unitOf(context, flags);
  const {path, text, enabled, active} = await unitStatus(unit);
  if (text === undefined) {
    context.stdout.write('the service is not installed\n');
    return 1;
  }
  const isCurrent = text === textOf(context, unit);
  const lines = [
    `unit: ${path}`,
    `enabled: ${enabled ?? 'unknown, systemd does not run'}`,
    `active: ${active ?? 'unknown, systemd does not run'}`,
    ...(isCurrent ? [] : ['it was written by another version or for other settings: install it again']),
  ];
  context.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return isCurrent && enabled === 'enabled' ? 0 : 1;
}

/** What the unit runs at boot. */
async function boot(context: CliContext): Promise<number> {
  const engine = await createEngine(engineOptions(context));
  try {
    const containers = await engine.containers.boot();
    for (const {name, error} of containers) {
      if (error === undefined) context.stdout.write(`started ${name}\n`);
      else context.stderr.write(`cannot start ${name}: ${error}\n`);
    }
    return containers.some(({error}) => error !== undefined) ? 1 : 0;
  } finally {
    await engine.close();
  }
}

/** Where the engine is; the rest of the environment is nothing to a unit. */
const carried = [
  'XDG_DATA_HOME',
  'TSCOMPOSE_RUN',
  'TSCOMPOSE_CGROUP_PARENT',
  'TSCOMPOSE_HELPER',
  'TSCOMPOSE_PUBLISH',
] as const;

function textOf(context: CliContext, {user}: SystemdUnit): string {
  const {env, nodePath, programPath} = context;
  const root = rootOf(context);
  const set = carried.flatMap((name) => (env[name] ? [[name, env[name]] as const] : []));
  const environment = Object.fromEntries([...(root ? [['TSCOMPOSE_ROOT', root] as const] : []), ...set]);
  return unitText({node: nodePath, program: programPath, environment, user});
}

/** A unit has no working directory to begin paths at. Empty: the usual root. */
function rootOf(context: CliContext): string {
  const root = context.global.root ?? context.env['TSCOMPOSE_ROOT'] ?? '';
  return root === '' ? '' : resolve(context.cwd, root);
}

/** Each root has a unit of its own. `--user`: of whoever runs this; root's own are the machine's. */
function unitOf(context: CliContext, flags: ServiceFlags): SystemdUnit {
  const {env} = context;
  const root = rootOf(context);
  const config = env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? '/', '.config');
  return {
    name: root === '' ? 'tscompose.service' : `tscompose-${hashOfRoot(root)}.service`,
    directory: flags.user ? join(config, 'systemd/user') : '/etc/systemd/system',
    user: flags.user,
    bootedMark: '/run/systemd/system',
    env,
  };
}
