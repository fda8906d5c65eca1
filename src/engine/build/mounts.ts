import {chmod, chown, rm, writeFile} from 'node:fs/promises';
import {connect, createServer} from 'node:net';
import {join, posix} from 'node:path';
import type {Duplex} from 'node:stream';
import type {ContainerFile, Mount} from '../../api/types/container.ts';
import {TscomposeError} from '../../base/errors.ts';
import {readRegularFile} from '../../base/regular-file.ts';
import {limitClients, relay} from './agents/relay.ts';
import {type CacheMount, takeCacheMounts} from './cache-mounts.ts';
import type {BuildRequest, BuildWork} from './context.ts';
import {select} from './copy-plan.ts';
import {fillScratch} from './copy-step.ts';
import type {LocalBuild} from './main-context.ts';
import type {Origins} from './origins.ts';
import type {RunMounts} from './run-step.ts';
import {openScratch} from './snapshot.ts';
import {clampedPath} from './source/context-tree.ts';
import type {SourceTree} from './source/tree.ts';
import {isDirectory} from './source/tree.ts';
import type {RunStep, StepMount} from './steps.ts';

/** What was made ready for one run; disposing it lets go of locks, sockets and copies. */
export interface PreparedMounts extends RunMounts, AsyncDisposable {}

export interface MountOptions {
  readonly request: LocalBuild;
  readonly origins: Origins;
  readonly signal: AbortSignal;
  /** For files of this run alone. */
  readonly directory: string;
}

interface Prepared {
  readonly mount?: Mount;
  readonly file?: ContainerFile;
  readonly env?: string;
  readonly image?: readonly [string, readonly string[]];
}

/** Makes ready what a run mounts. Throws `notFound` for a secret that must be there. */
export async function prepareMounts(context: BuildWork, step: RunStep, options: MountOptions): Promise<PreparedMounts> {
  const held = new AsyncDisposableStack_();
  try {
    const prepared: Prepared[] = [];
    const hold = (lock: AsyncDisposable) => held.add(async () => await lock[Symbol.asyncDispose]());
    const wanted = step.mounts.filter((mount): mount is CacheMount => mount.type === 'cache');
    const caches = await takeCacheMounts(context, wanted, {...options, hold});
    for (const [index, mount] of step.mounts.entries())
      prepared.push(...(await prepare(context, mount, {...options, name: `${step.id}-${index}`, held, caches})));
    prepared.push(...(await prepareScripts(context, step, {...options, held})));
    return {
      mounts: prepared.flatMap(({mount}) => mount ?? []),
      files: prepared.flatMap(({file}) => file ?? []),
      env: prepared.flatMap(({env}) => env ?? []),
      images: new Map(prepared.flatMap(({image}) => (image === undefined ? [] : [image]))),
      [Symbol.asyncDispose]: () => held.release(),
    };
  } catch (error) {
    await held.release();
    throw error;
  }
}

/** Node 20 has no AsyncDisposableStack. */
class AsyncDisposableStack_ {
  readonly #held: (() => Promise<void>)[] = [];

  add(release: () => Promise<void>): void {
    this.#held.push(release);
  }

  async release(): Promise<void> {
    for (const release of this.#held.splice(0).reverse()) await release();
  }
}

interface Preparing extends MountOptions {
  /** Of the mount: no other one of the build has it. */
  readonly name: string;
  readonly held: AsyncDisposableStack_;
  readonly caches: Awaited<ReturnType<typeof takeCacheMounts>>;
}

async function prepare(context: BuildWork, mount: StepMount, options: Preparing): Promise<readonly Prepared[]> {
  switch (mount.type) {
    case 'bind':
      return [await prepareBind(context, mount, options)];
    case 'cache':
      return [prepareCache(mount, options)];
    case 'tmpfs': {
      const TmpfsOptions = mount.size === undefined ? {} : {TmpfsOptions: {SizeBytes: mount.size}};
      return [{mount: {Type: 'tmpfs', Target: mount.target, ...TmpfsOptions}}];
    }
    case 'secret':
      return await prepareSecret(mount, options);
    case 'ssh':
      return await prepareAgent(mount, options);
  }
}

/** Memory of the machine may be mounted so that nothing in it can be executed: a script is on the disk of the layers. */
async function prepareScripts(
  context: BuildWork,
  {scripts}: RunStep,
  {origins, held, signal}: Omit<Preparing, 'name' | 'caches'>,
): Promise<readonly Prepared[]> {
  const [first] = scripts;
  if (first === undefined) return [];
  const files = scripts.map(({target, content}) => ({name: posix.basename(target), content}));
  const tree = await origins.open({kind: 'inline', files});
  const names = files.map(({name}) => name);
  const selections = await select(tree, names, {parents: false, exclude: []});
  const scratch = await openScratch(context);
  held.add(async () => await scratch[Symbol.asyncDispose]());
  const step = {target: '/', chmod: '755', owner: ''};
  await fillScratch(context, scratch, {step, copies: [{tree, selections}]}, {below: [], signal});
  return [{mount: {Type: 'bind', Source: scratch.upper, Target: posix.dirname(first.target), ReadOnly: true}}];
}

type Of<T extends StepMount['type']> = Extract<StepMount, {readonly type: T}>;

/** Of a tree of layers its own mount; else a copy of what is mounted, without what is ignored. What is written is lost. */
async function prepareBind(
  context: BuildWork,
  {from, source, target, readOnly}: Of<'bind'>,
  options: Preparing,
): Promise<Prepared> {
  const tree = await options.origins.open(from);
  if (readOnly && 'lowers' in tree.place && tree.place.lowers.length > 0) {
    const name = `mount-${options.name}`;
    // Links of the tree lead where they lead within it.
    const Subpath = (await tree.list(clampedPath(source), {digests: true}))?.resolved ?? clampedPath(source);
    const ImageOptions = Subpath === '' ? {} : {ImageOptions: {Subpath}};
    return {
      mount: {Type: 'image', Source: name, Target: target, ReadOnly: true, ...ImageOptions},
      image: [name, tree.place.lowers],
    };
  }
  const copied = await copyOf(context, tree, source, options);
  return {mount: {Type: 'bind', Source: copied, Target: target, ReadOnly: readOnly}};
}

async function copyOf(
  context: BuildWork,
  tree: SourceTree,
  source: string,
  {signal, held}: Preparing,
): Promise<string> {
  const selections = await select(tree, [source], {parents: false, exclude: []});
  const [top] = selections[0]?.entries ?? [];
  const isTree = top === undefined || isDirectory(top);
  const name = isTree ? '' : (selections[0]?.name ?? '');
  const scratch = await openScratch(context);
  held.add(async () => await scratch[Symbol.asyncDispose]());
  const step = {target: '/', chmod: '', owner: ''};
  await fillScratch(context, scratch, {step, copies: [{tree, selections}]}, {below: [], signal});
  return join(scratch.upper, name);
}

function prepareCache(mount: Of<'cache'>, {caches}: Preparing): Prepared {
  const Source = caches.get(mount);
  if (Source === undefined) throw new TscomposeError('internal', `cache mount "${mount.id}" was not taken`);
  return {mount: {Type: 'bind', Source, Target: mount.target, ReadOnly: mount.readOnly}};
}

/** Bytes that a secret may have, as BuildKit has it. */
const secretMost = 500 * 1024;

/** A file of the run's own directory, which is memory of the machine: what a container is made of is kept on disk. */
async function prepareSecret(
  mount: Of<'secret'>,
  {request, directory, name, held}: Preparing,
): Promise<readonly Prepared[]> {
  const bytes = await secretBytes(request, mount.id);
  if (bytes === undefined) {
    if (!mount.required) return [];
    throw new TscomposeError('notFound', `secret "${mount.id}" is required, but was not given`, {
      hint: `give it with --secret id=${mount.id},src=FILE`,
    });
  }
  if (mount.env !== undefined && bytes.includes(0))
    throw new TscomposeError('invalid', `secret "${mount.id}" cannot be a variable: it has a NUL`);
  const env = mount.env === undefined ? {} : {env: `${mount.env}=${bytes.toString('utf8')}`};
  if (mount.target === undefined) return [env];
  const Source = join(directory, `secret-${name}`);
  held.add(() => rm(Source, {force: true}));
  await writeFile(Source, bytes, {mode: 0o600, flag: 'wx'});
  const {target: Target, uid: Uid, gid: Gid, mode: Mode} = mount;
  return [{...env, file: {Target, Source, Uid, Gid, Mode}}];
}

async function secretBytes({secrets, client}: BuildRequest, name: string): Promise<Buffer | undefined> {
  const content = secrets.find(({id}) => id === name)?.content;
  if (content === undefined) {
    const sent = await client?.secret(name);
    if (sent !== undefined && sent.length > secretMost)
      throw new TscomposeError('invalid', `secret "${name}" is too large: ${sent.length} bytes`);
    return sent && Buffer.from(sent);
  }
  if ('base64' in content) return Buffer.from(content.base64, 'base64');
  return readRegularFile(content.path, {shown: `secret "${name}" from ${content.path}`, most: secretMost});
}

async function agentOf({agents, client}: BuildRequest, name: string): Promise<(() => Duplex) | undefined> {
  const agent = agents.find(({id}) => id === name);
  return agent === undefined ? await client?.agent(name) : () => connect(agent.socket);
}

/** A socket of our own before the agent's, so that it can belong to whoever the step says. */
async function prepareAgent(
  mount: Of<'ssh'>,
  {request, directory, name, held}: Preparing,
): Promise<readonly Prepared[]> {
  const open = await agentOf(request, mount.id);
  const Target = mount.target ?? '';
  // Also where there is no agent.
  const env = mount.env === undefined ? {} : {env: `${mount.env}=${Target}`};
  if (open === undefined) {
    if (!mount.required) return [env];
    throw new TscomposeError('notFound', `ssh agent "${mount.id}" is required, but was not given`, {
      hint: `give it with --ssh ${mount.id}`,
    });
  }
  const path = join(directory, `agent-${name}.sock`);
  const server = createServer((client) => relay(client, open()));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  limitClients(server);
  held.add(() => new Promise((resolve) => server.close(() => resolve())));
  await chmod(path, mount.mode);
  await chown(path, mount.uid, mount.gid);
  return [{...env, mount: {Type: 'bind', Source: path, Target}}];
}

/** What is mounted of other steps and contexts counts by its content. */
export function boundMounts(step: RunStep): readonly Of<'bind'>[] {
  return step.mounts.filter((mount): mount is Of<'bind'> => mount.type === 'bind');
}
