import {checkDockerfile} from '../../dockerfile/check.ts';
import {serviceBuilds} from '../../model/lower-build.ts';
import type {Project} from '../../model/types.ts';
import type {CliContext} from '../context.ts';
import {printProblems} from '../print-problems.ts';
import {knownText} from './call.ts';
import {readServiceFiles} from './service-files.ts';

export interface CheckServices {
  readonly project: Project;
  readonly services: readonly string[] | undefined;
  /** For all of them. */
  readonly arguments: Readonly<Record<string, string>>;
}

/** Tells what is wrong with the Dockerfiles of services, each once, and answers the exit code. Nothing is built. */
export async function checkServices(
  context: CliContext,
  {project, services, arguments: more}: CheckServices,
): Promise<number> {
  const builds = serviceBuilds(project, services);
  const checked = await Promise.all(
    builds.map(async (build) => {
      const {dockerfile, ignore} = await readServiceFiles(context, build);
      const own = Object.entries(build.build.args ?? {}).flatMap(([name, value]) =>
        value === null ? [] : [[name, value] as const],
      );
      const buildArguments = {...Object.fromEntries(own), ...more};
      return checkDockerfile(knownText(dockerfile), {buildArguments, ignore});
    }),
  );
  // A file that several images are built from is told of once.
  const found = new Map(checked.flat().map((problem) => [JSON.stringify(problem), problem]));
  return printProblems(context, [...found.values()], {json: context.global.progress === 'json'});
}
