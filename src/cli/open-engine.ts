import {join} from 'node:path';
import {type Backend, openBackend} from '../backend/backend.ts';
import type {EngineOptions} from '../engine/create-engine.ts';
import {authorityFiles} from '../engine/registry/authorities.ts';
import type {CliContext} from './context.ts';
import {isSet} from './environment.ts';

/** The same, and what it creates runs without the limits that the machine cannot keep where the flag says so. */
export function allowingMissingLimits(
  context: CliContext,
  flags: {readonly 'allow-missing-limits': boolean},
): CliContext {
  return flags['allow-missing-limits']
    ? {...context, env: {...context.env, TSCOMPOSE_ALLOW_MISSING_LIMITS: '1'}}
    : context;
}

/** The engine that a command talks to: by `--host` or TSCOMPOSE_HOST a remote one, else the built-in one. */
export function openEngineBackend(context: CliContext): Promise<Backend> {
  const {env, global, version} = context;
  return openBackend({
    host: global.host ?? env['TSCOMPOSE_HOST'],
    version,
    openEngine: async () => {
      const {createEngine} = await import('../engine/create-engine.ts');
      return createEngine(engineOptions(context));
    },
  });
}

/** Where the built-in engine is, as the command line and the environment say. */
export function engineOptions({env, global, version, nodePath, now}: CliContext): EngineOptions {
  return {
    root: global.root ?? env['TSCOMPOSE_ROOT'],
    run: env['TSCOMPOSE_RUN'],
    cgroupParent: env['TSCOMPOSE_CGROUP_PARENT'],
    helperPath: env['TSCOMPOSE_HELPER'],
    userDirectories: {
      home: env['HOME'],
      dataHome: env['XDG_DATA_HOME'],
      runtimeDirectory: env['XDG_RUNTIME_DIR'],
    },
    allowMissingLimits: isSet(env, 'TSCOMPOSE_ALLOW_MISSING_LIMITS'),
    publishAddress: env['TSCOMPOSE_PUBLISH'],
    registries: registryOptions(env),
    environment: env,
    version,
    nodePath,
    now,
  };
}

/** How registries are reached: one file for pull, push and build, and certificates where Docker has them too. */
function registryOptions(env: CliContext['env']): NonNullable<EngineOptions['registries']> {
  const stated = env['TSCOMPOSE_REGISTRIES'];
  const machine = '/etc/tscompose';
  const own = process.geteuid?.() === 0 ? [] : configurationDirectory(env);
  return {
    settings: {
      paths: stated ? [stated] : [...own, machine].map((directory) => join(directory, 'registries.json')),
      isRequired: Boolean(stated),
    },
    certificateDirectories: [...own.map((directory) => join(directory, 'certs.d')), '/etc/docker/certs.d'],
    authorityFiles: authorityFiles(env),
    proxy: {
      http: env['http_proxy'] ?? env['HTTP_PROXY'],
      https: env['https_proxy'] ?? env['HTTPS_PROXY'],
      none: env['no_proxy'] ?? env['NO_PROXY'],
    },
    credentialOf: async (host) => {
      const {credentialsOf} = await import('./credentials.ts');
      return await credentialsOf({env}).find(host);
    },
  };
}

function configurationDirectory(env: CliContext['env']): readonly string[] {
  const base = env['XDG_CONFIG_HOME'] ?? (env['HOME'] ? join(env['HOME'], '.config') : undefined);
  return base === undefined ? [] : [join(base, 'tscompose')];
}
