import {TscomposeError} from '../../base/errors.ts';
import type {Engine} from '../../engine/engine.ts';
import {askFrontend} from './ask-frontend.ts';
import {definitionOf, resultOf} from './built-inputs.ts';
import {hostGateway} from './frontend-options.ts';
import {type Call, type Method, type Methods, method, unary} from './grpc-server.ts';
import {createJobs, type Job, type Jobs} from './jobs.ts';
import {diskUsage, pruneKept} from './kept-records.ts';
import type {Message} from './messages.ts';
import {type RunBuild, runBuild} from './run-build.ts';
import type {Sessions} from './sessions.ts';

export interface ServicesOptions {
  readonly engine: Pick<Engine, 'builds' | 'system'>;
  readonly sessions: Sessions;
  /** Of the program. */
  readonly version: string;
}

/** What clients of BuildKit call: the control service, and the bridge that a frontend within the client builds with. */
export function createServices(options: ServicesOptions): Methods {
  return new Map<string, Method>(methods(options, createJobs()));
}

const control = '/moby.buildkit.v1.Control';
const bridge = '/moby.buildkit.v1.frontend.LLBBridge';

/** What is asked of the frontend. */
interface Wanted extends Pick<RunBuild, 'options' | 'imports'> {
  readonly inputs: Message<'BridgeSolveRequest'>['frontendInputs'];
}

function methods({engine, sessions, version}: ServicesOptions, jobs: Jobs): readonly (readonly [string, Method])[] {
  const build = async (job: Job, wanted: Wanted, signal: AbortSignal) => {
    const asked = await Promise.race([job.asked, whenGone(signal)]);
    const stopped = AbortSignal.any([signal, job.stopped]);
    // Clients say them where they ask for the build, others with what is asked of the frontend.
    const inputs = await imagesOf({...asked.frontendInputs, ...wanted.inputs}, jobs);
    return await runBuild({builds: engine.builds, job, ...wanted, inputs, asked, sessions, signal: stopped});
  };
  return [
    unary(`${control}/Info`, 'InfoRequest', 'InfoResponse', async function* () {
      yield {buildkitVersion: {package: 'tscompose', version, revision: ''}};
    }),
    unary(`${control}/ListWorkers`, 'ListWorkersRequest', 'ListWorkersResponse', async function* () {
      yield {record: [await worker(engine)]};
    }),
    unary(`${control}/DiskUsage`, 'DiskUsageRequest', 'DiskUsageResponse', async function* ({filter}) {
      yield await diskUsage(engine.builds, filter);
    }),
    unary(`${control}/Prune`, 'PruneRequest', 'UsageRecord', async function* (request) {
      yield* await pruneKept(engine.builds, request);
    }),
    method(`${control}/Session`, 'BytesMessage', 'BytesMessage', (messages, {headers}) =>
      sessions.tunnel(
        {
          id: String(headers['x-docker-expose-session-uuid'] ?? ''),
          sharedKey: String(headers['x-docker-expose-session-sharedkey'] ?? ''),
        },
        messages,
      ),
    ),
    unary(`${control}/Solve`, 'SolveRequest', 'SolveResponse', async function* (request, {signal}) {
      signal.throwIfAborted();
      const job = jobs.get(request.ref);
      signal.addEventListener('abort', () => job.fail(canceled()), {once: true});
      try {
        job.ask(request);
        if (request.frontend !== '') {
          refuseFrontend(request.frontend);
          const {response} = await build(job, {options: request.frontendAttrs, imports: [], inputs: {}}, signal);
          job.finish(response);
        }
        yield {exporterResponse: await job.done};
      } finally {
        job.fail(canceled());
        jobs.remove(request.ref);
      }
    }),
    unary(`${control}/Status`, 'StatusRequest', 'StatusResponse', async function* ({ref}, {signal}) {
      try {
        yield* jobs.get(ref).updates(signal);
      } finally {
        jobs.forget(ref);
      }
    }),
    // None is kept: there is nothing to tell.
    unary(`${control}/ListenBuildHistory`, 'BuildHistoryRequest', 'BuildHistoryEvent', async function* () {}),
    unary(`${bridge}/Ping`, 'PingRequest', 'PongResponse', async function* () {
      const [frontendAPICaps, llbCaps] = capabilities.map((ids) => ids.map((id) => ({id, enabled: true})));
      yield {frontendAPICaps, llbCaps, workers: [await worker(engine)]};
    }),
    unary(`${bridge}/Solve`, 'BridgeSolveRequest', 'BridgeSolveResponse', async function* (request, call) {
      const job = jobOf(jobs, call);
      refuseFrontend(request.frontend);
      try {
        const {frontendOpt: options, cacheImports: imports, frontendInputs: inputs} = request;
        if ((options['requestid'] ?? '') !== '') {
          const {session} = await Promise.race([job.asked, whenGone(call.signal)]);
          yield {result: {metadata: await askFrontend(options, {sessions, session, signal: call.signal})}};
          return;
        }
        const id = job.keep(await build(job, {options, imports, inputs}, call.signal));
        yield {result: {ref: {id, definition: await definitionOf(id)}}};
      } finally {
        jobs.forget(job.ref);
      }
    }),
    // What was answered is built.
    unary(`${bridge}/Evaluate`, 'EvaluateRequest', 'EvaluateResponse', async function* ({ref}, call) {
      if (jobOf(jobs, call).kept(ref) === undefined)
        throw new TscomposeError('notFound', `no such result of a build: "${ref}"`);
      yield {};
    }),
    unary(`${bridge}/Return`, 'ReturnRequest', 'ReturnResponse', async function* ({result, error}, call) {
      const job = jobOf(jobs, call);
      // It is nobody's: what asked for it would wait for its end.
      if (!job.isAsked()) {
        jobs.forget(job.ref);
        throw new TscomposeError('notFound', `no such build: "${job.ref}"`);
      }
      if (error != null && error.code !== 0) job.fail(new TscomposeError('dependencyFailed', error.message));
      else job.finish(job.kept(result?.ref?.id || result?.refDeprecated || '')?.response ?? {});
      yield {};
    }),
  ];
}

/** What a client may use: of the bridge, and of graphs. */
const capabilities = [
  ['solve.base', 'return', 'returnmap', 'reference.output', 'frontend.inputs', 'gateway.evaluate'],
  ['exporter.multiple'],
] as const;

/** What is to be built upon, by the names that contexts have for it: other builds of the client that are under way. */
async function imagesOf(inputs: Wanted['inputs'], jobs: Jobs): Promise<Readonly<Record<string, string>>> {
  const images = Object.entries(inputs).map(async ([name, definition]) => {
    const built = jobs.kept(await resultOf(definition));
    if (built === undefined)
      throw new TscomposeError('notFound', `cannot build: the build that "${name}" is to be of is over`);
    return [name, await built.image()] as const;
  });
  return Object.fromEntries(await Promise.all(images));
}

function jobOf(jobs: Jobs, {headers}: Call): Job {
  return jobs.get(String(headers['buildkit-controlapi-buildid'] ?? ''));
}

function refuseFrontend(frontend: string): void {
  if (frontend === 'dockerfile.v0') return;
  throw new TscomposeError('unsupported', `cannot build: frontend "${frontend}" is not supported`, {
    hint: 'build a Dockerfile',
  });
}

/** Rejects once the caller is gone. */
function whenGone(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(canceled());
    signal.addEventListener('abort', () => reject(canceled()), {once: true});
  });
}

function canceled(): TscomposeError {
  return new TscomposeError('canceled', 'the build was canceled');
}

async function worker(engine: ServicesOptions['engine']): Promise<Message<'WorkerRecord'>> {
  const {Os, Arch} = await engine.system.version();
  const labels = {'org.mobyproject.buildkit.worker.moby.host-gateway-ip': hostGateway};
  return {id: 'tscompose', labels, platforms: [{os: Os, architecture: Arch, variant: ''}]};
}
