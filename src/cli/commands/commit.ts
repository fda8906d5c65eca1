import type {Container} from '../../client/container.ts';
import type {FlagValues} from '../command.ts';
import type {commitFlags} from '../commit-flags.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {splitName} from '../image-name.ts';
import {findReplica} from '../project-containers.ts';
import {withEngine, withStackNames} from '../session.ts';
import {checkCount} from '../wrong-use.ts';

/** Makes an image of what a container is now, and prints its id. */
export function runEngineCommit(context: CliContext, {args, flags}: Input<'engine commit'>): Promise<number> {
  const usage = 'engine commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]';
  const [name = '', image] = checkCount(args, {least: 1, most: 2, usage});
  return withEngine(context, (docker) => commit(context, docker.getContainer(name), {image, flags}));
}

/** The same of a service's container. */
export function runCommit(context: CliContext, {args, flags}: Input<'commit'>): Promise<number> {
  const usage = 'commit [OPTIONS] SERVICE [REPOSITORY[:TAG]]';
  const [service = '', image] = checkCount(args, {least: 1, most: 2, usage});
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const chosen = await findReplica(docker, {project: name, service, index: flags.index, known: knownServices});
    return await commit(context, docker.getContainer(chosen.id), {image, flags});
  });
}

interface Committing {
  readonly image: string | undefined;
  readonly flags: FlagValues<typeof commitFlags>;
}

async function commit({stdout}: CliContext, container: Container, {image, flags}: Committing): Promise<number> {
  const {repository, tag} = image === undefined ? {repository: undefined, tag: undefined} : splitName(image);
  const {author, message: comment, change: changes, pause} = flags;
  const {Id} = await container.commit({repo: repository, tag, author, comment, changes, pause});
  stdout.write(`${Id}\n`);
  return 0;
}
