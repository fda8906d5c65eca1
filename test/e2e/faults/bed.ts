import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'vitest';
import type {Engine} from '../../../src/engine/engine.ts';
import {locateHelper} from '../../../src/engine/helper/locate.ts';
import {openEngine} from '../../conformance/builtin-engine.ts';
import {nativeProgram} from '../../native/network-bed.ts';
import {eventually, execute, makeHost, projectDirectory, type TestHost} from '../../support/host.ts';
import {loadImages} from '../../support/test-images.ts';
import {bundleProgram} from './bundle.ts';
import type {Call} from './calls.ts';

/** What is to become of operations (native/test/faults.c). */
export interface Fault {
  /** `cli`, `helper`, `monitor`, `setup`, `writer`, with commas; `*`: all. */
  readonly roles?: string;
  readonly action: 'count' | 'kill' | 'hold' | number;
  readonly first?: number;
  readonly last?: number;
  /** Names of system calls, with commas. */
  readonly calls?: string;
}

export interface Outcome {
  /** What was answered before the program ended: acknowledged, or refused. */
  readonly answers: readonly Answer[];
  /** Operations that were counted, as the log has them: `17 monitor 4711 rename !`. */
  readonly operations: readonly string[];
}

export interface Answer {
  readonly value?: unknown;
  readonly error?: {readonly kind: string; readonly message: string; readonly hint?: string};
}

/**
 * A machine with a root in which something runs already: a container on a network of its own, with a published port and a
 * volume with content, none of which a fault of something else may touch.
 */
export interface FaultBed extends AsyncDisposable {
  readonly host: TestHost;
  /** Opens an engine as the next command does, and closes it. */
  withEngine<T>(use: (engine: Engine) => Promise<T>): Promise<T>;
  /** Calls in a process of their own; the fault is armed after those of `before`. */
  run(fault: Fault, before: readonly Call[], calls: readonly Call[]): Promise<Outcome>;
  /** A shell script with the command line as `$tscompose`; the fault is armed where it says `arm`. */
  script(fault: Fault, text: string): Promise<Outcome & {readonly code: number | null}>;
  /** Fails unless everything is as it was when the bed was made. */
  checkUntouched(what: string): Promise<void>;
}

const bystander = {
  Image: 'busybox',
  Cmd: ['sleep', '100000'],
  HostConfig: {
    Init: true,
    NetworkMode: 'before',
    Binds: ['kept:/kept'],
    PortBindings: {'80/tcp': [{HostIp: '127.0.0.1', HostPort: '18099'}]},
  },
};

export async function makeFaultBed(): Promise<FaultBed> {
  const host = await makeHost();
  try {
    return await furnish(host);
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}

async function furnish(host: TestHost): Promise<FaultBed> {
  await loadImages(host, ['busybox']);
  const withEngine: FaultBed['withEngine'] = async (use) => {
    const engine = await openEngine(host);
    try {
      return await use(engine);
    } finally {
      await engine.close();
    }
  };
  const look = () => withEngine(async (engine) => (await engine.containers.inspect('bystander')).State);
  const {Pid} = await withEngine(async (engine) => {
    await engine.networks.create({Name: 'before'});
    await engine.containers.create(bystander, {name: 'bystander'});
    await engine.containers.start('bystander');
    writeFileSync(join(host.root, 'volumes/kept/data/file'), 'kept');
    return (await engine.containers.inspect('bystander')).State;
  });
  const [faults, program] = [nativeProgram('faults'), await bundleProgram(host)];
  const helper = await locateHelper(process.env['TSCOMPOSE_HELPER']);
  const [rule, log] = [join(host.directory, 'rule'), join(host.directory, 'log')];
  const whole = snapshot(host);

  const supervise = async (fault: Fault, words: readonly string[]) => {
    writeFileSync(rule, unarmed);
    writeFileSync(log, '');
    const inside = ['nsenter', `--net=/run/netns/${host.namespace}`, '--', ...words];
    const result = await execute(faults, [rule, log, ...inside], {
      env: {...host.env, TSCOMPOSE_HELPER: helper},
      cwd: host.directory,
      timeoutMs: 60_000,
    });
    // What hangs later, on behalf of somebody else, is just what is wanted.
    if (fault.action !== 'hold') writeFileSync(rule, unarmed);
    return {...result, operations: readFileSync(log, 'utf8').split('\n').filter(Boolean)};
  };
  return {
    host,
    withEngine,
    async run(fault, before, calls) {
      const places = [host.root, host.run, host.cgroupParent, rule, ruleText(fault)];
      const lists = [before, calls].map((list) => JSON.stringify(list));
      const {stdout, stderr, operations} = await supervise(fault, [process.execPath, program, ...places, ...lists]);
      expect(stderr).toBe('');
      const answers = stdout.split('\n').filter(Boolean);
      return {answers: answers.map((line) => JSON.parse(line) as Answer), operations};
    },
    async script(fault, text) {
      const arm = `arm() { printf '%s' '${ruleText(fault)}' > ${rule}; }`;
      const tscompose = `tscompose="${process.execPath} ${join(projectDirectory, 'dist/cli.cjs')}"`;
      const {code, operations} = await supervise(fault, ['sh', '-c', `${arm}\n${tscompose}\n${text}`]);
      return {code, answers: [], operations};
    },
    async checkUntouched(what) {
      const {Status, Pid: pid} = await look();
      expect({what, bystander: [Status, pid]}).toEqual({what, bystander: ['running', Pid]});
      expect({what, kept: readFileSync(join(host.root, 'volumes/kept/data/file'), 'utf8')}).toEqual({
        what,
        kept: 'kept',
      });
      await eventually(() => expect({what, ...changes(whole, snapshot(host))}).toEqual({what, gone: [], left: []}));
    },
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
    },
  };
}

/** Nothing is counted: no call has that name. */
export const unarmed = ruleText({action: 'count', calls: 'none'});

export function ruleText({roles = '*', action, first = 1, last = first, calls = '*'}: Fault): string {
  return `${roles} ${action} ${first} ${last} ${calls}\n`;
}

/** Everything that exists of a host: what a project would leave, every file of the engine's, every rule of its firewall. */
function snapshot(host: TestHost): ReadonlySet<string> {
  return new Set([...host.leftovers({running: true}), ...files(host.root), ...files(host.run)]);
}

/** Not what containers and volumes contain; nor lock files that stay, and the journal, which are no trace of one thing. */
function files(directory: string): readonly string[] {
  return readdirSync(directory, {withFileTypes: true}).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (/^(locks|upper|work|data|events.*\.ndjson|helper)$/.test(entry.name) || /\/layers$/.test(directory))
      return [path].filter((p) => /\/layers\//.test(p));
    return entry.isDirectory() ? [path, ...files(path)] : [path];
  });
}

function changes(before: ReadonlySet<string>, after: ReadonlySet<string>) {
  return {
    gone: [...before].filter((thing) => !after.has(thing)),
    left: [...after].filter((thing) => !before.has(thing)),
  };
}
