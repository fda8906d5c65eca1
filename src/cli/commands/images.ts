import type {ImageSummary} from '../../api/types/image.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {listProjectContainers} from '../project-containers.ts';
import {humanDuration} from '../relative-time.ts';
import {withEngine, withStackNames} from '../session.ts';
import {humanSize} from '../size.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';

export function runImages(context: CliContext, input: Input<'images'>): Promise<number> {
  return input.flags.all ? runAll(context, input) : runProject(context, input);
}

function runAll(context: CliContext, input: Input<'images'>): Promise<number> {
  return withEngine(context, async (docker) => {
    const images = await docker.listImages();
    const rows = images.flatMap((image) =>
      (image.RepoTags.length > 0 ? image.RepoTags : ['<none>:<none>']).map((tag) => ({image, tag})),
    );
    if (input.flags.quiet) context.stdout.write(images.map(({Id}) => `${Id}\n`).join(''));
    else if (input.flags.format === 'json') context.stdout.write(`${JSON.stringify(images)}\n`);
    else {
      context.stdout.write(
        formatTable(
          ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
          rows.map(({image, tag}) => [
            ...splitTag(tag),
            shortId(image.Id),
            age(image, context.now()),
            humanSize(image.Size),
          ]),
          {columns: terminalColumns(context), drop: ['CREATED', 'SIZE', 'IMAGE ID'], cut: {REPOSITORY: 16}},
        ),
      );
    }
    return 0;
  });
}

/** The image that each container of the project was made from. */
function runProject(context: CliContext, input: Input<'images'>): Promise<number> {
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const [containers, images] = await Promise.all([
      listProjectContainers(docker, {project: name, services: input.args, all: true, known: knownServices}),
      docker.listImages(),
    ]);
    const rows = containers.map((container) => ({
      container,
      image: images.find(({Id}) => Id === container.summary.ImageID),
    }));
    if (input.flags.quiet) {
      context.stdout.write(
        [...new Set(rows.map(({container}) => `${container.summary.ImageID.replace('sha256:', '')}\n`))].join(''),
      );
    } else if (input.flags.format === 'json') {
      context.stdout.write(
        `${JSON.stringify(
          rows.map(({container, image}) => {
            const [repository, tag] = splitTag(image?.RepoTags[0] ?? container.summary.Image);
            return {
              ID: container.summary.ImageID,
              ContainerName: container.name,
              Repository: repository,
              Tag: tag,
              Size: image?.Size ?? 0,
              ...(image !== undefined && {Created: new Date(image.Created * 1000).toISOString()}),
            };
          }),
        )}\n`,
      );
    } else {
      context.stdout.write(
        formatTable(
          ['CONTAINER', 'REPOSITORY', 'TAG', 'IMAGE ID', 'SIZE', 'CREATED'],
          rows.map(({container, image}) => [
            container.name,
            ...splitTag(image?.RepoTags[0] ?? container.summary.Image),
            shortId(container.summary.ImageID),
            image === undefined ? '' : humanSize(image.Size),
            image === undefined ? '' : age(image, context.now()),
          ]),
          {
            columns: terminalColumns(context),
            drop: ['CREATED', 'SIZE', 'IMAGE ID'],
            cut: {CONTAINER: 16, REPOSITORY: 16},
          },
        ),
      );
    }
    return 0;
  });
}

function splitTag(reference: string): readonly [string, string] {
  const colon = reference.indexOf(':', reference.lastIndexOf('/') + 1);
  return colon === -1 ? [reference, 'latest'] : [reference.slice(0, colon), reference.slice(colon + 1)];
}

function shortId(id: string): string {
  return id.replace('sha256:', '').slice(0, 12);
}

function age(image: ImageSummary, now: number): string {
  return image.Created <= 0 ? 'N/A' : `${humanDuration(now / 1000 - image.Created)} ago`;
}
