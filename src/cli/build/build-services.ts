import {createLimiter} from '../../base/concurrency.ts';
import {hasKind, TscomposeError, toTscomposeError} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import {lowerBuild, type ServiceBuild, serviceBuilds} from '../../model/lower-build.ts';
import type {Project} from '../../model/types.ts';
import {buildLines} from '../../report/build-plain.ts';
import type {CliContext} from '../context.ts';
import {withAuths} from './auths.ts';
import {readDockerfile, readIgnore} from './dockerfile.ts';

export interface BuildServices {
  readonly project: Project;
  /** Absent: all. */
  readonly services?: readonly string[];
  /** `missing`: only images that are not there. */
  readonly which: 'all' | 'missing';
  /** Nothing is told but errors. */
  readonly quiet?: boolean;
  readonly explain?: boolean;
  readonly noCache?: boolean;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Images that are built at the same time. */
const atOnce = 3;

/** Builds the images of services, each once, those that others are built upon first. Answers the images that were built. */
export async function buildServices(
  context: CliContext,
  docker: Docker,
  options: BuildServices,
): Promise<readonly string[]> {
  const builds = serviceBuilds(options.project, options.services);
  const wanted = options.which === 'all' ? builds : await missing(docker, options.project, builds);
  if (wanted.length === 0) return [];
  const done = new Map<string, Promise<void>>();
  const limit = createLimiter(atOnce);
  for (const build of wanted) {
    const needed = build.after.map((image) => done.get(image));
    const work = Promise.all(needed).then(() => limit(() => buildOne(context, docker, build, options)));
    done.set(build.image, work);
  }
  // One that fails lets the others come to their end.
  await Promise.allSettled(done.values());
  await Promise.all(done.values());
  return wanted.map(({image}) => image);
}

/** Also those whose policy is to be built whenever they are wanted. */
async function missing(
  docker: Docker,
  {services}: Project,
  builds: readonly ServiceBuild[],
): Promise<readonly ServiceBuild[]> {
  const found = await Promise.all(
    builds.map(({image}) =>
      docker
        .getImage(image)
        .inspect()
        .then(
          () => true,
          (error: unknown) => {
            if (hasKind(error, 'notFound')) return false;
            throw error;
          },
        ),
    ),
  );
  return builds.filter(
    ({services: users}, index) =>
      found[index] === false || users.some((name) => services[name]?.pull_policy === 'build'),
  );
}

/** Says whose Dockerfile it is, and how a stack names another. */
function ofService(service: string | undefined, error: unknown): TscomposeError {
  const {kind, message} = toTscomposeError(error);
  const hint = kind === 'notFound' ? 'write it, or name another one by "build.dockerfile" of the service' : undefined;
  return new TscomposeError(kind, `service "${service}": ${message}`, {cause: error, hint});
}

async function buildOne(
  context: CliContext,
  docker: Docker,
  given: ServiceBuild,
  {project, quiet, explain, noCache, arguments: more, signal}: BuildServices,
): Promise<void> {
  const {build, services, dockerfile} = given;
  const files =
    dockerfile === undefined
      ? {
          dockerfile: {text: build.dockerfile_inline ?? '', shown: `services.${services[0]}.build.dockerfile_inline`},
          ...readIgnore(build.context, undefined),
        }
      : await readDockerfile({context: build.context, file: dockerfile, workingDirectory: context.cwd}).catch(
          (error: unknown) => Promise.reject(ofService(services[0], error)),
        );
  const lowered = lowerBuild(given, {project, environment: context.env, files});
  const body = {
    ...lowered,
    arguments: {...lowered.arguments, ...more},
    ...(explain ? {explain} : {}),
    ...(noCache ? {noCache} : {}),
  };
  const {stderr, now} = context;
  const tell = buildLines({
    write: (line) => void stderr.write(line.replace(/^(?=#\d)/, `${services[0]} `)),
    now,
    color: context.color(stderr),
  });
  const lines = await docker.build(await withAuths(context, body), {abortSignal: signal});
  await docker.followProgress(lines, (event) => {
    if (!quiet && context.global.progress !== 'quiet') tell(event);
  });
}
