import type {ContainerSummary} from '../../api/types/container.ts';
import type {ImageInspect, ImageSummary} from '../../api/types/image.ts';
import {mapLimited} from '../../base/concurrency.ts';
import {hasKind} from '../../base/errors.ts';
import type {Docker} from '../../client/docker.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {shortId, splitName} from '../image-name.ts';
import {jsonText} from '../json-text.ts';
import {listProjectContainers, type ProjectContainer} from '../project-containers.ts';
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
    else if (input.flags.format === 'json') context.stdout.write(`${jsonText(images)}\n`);
    else {
      context.stdout.write(
        formatTable(
          ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
          rows.map(({image, tag}) => [
            splitName(tag).repository,
            splitName(tag).tag ?? 'latest',
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

/** A container of the project, and the image that it was made from. */
interface Row {
  readonly container: ProjectContainer;
  readonly repository: string;
  readonly tag: string;
  /** Absent: it is gone. */
  readonly image: ImageInspect | undefined;
}

function runProject(context: CliContext, input: Input<'images'>): Promise<number> {
  return withStackNames(context, async ({name, docker, knownServices}) => {
    const containers = await listProjectContainers(docker, {
      ...{project: name, services: input.args, all: true, known: knownServices},
    });
    const images = await inspectImages(docker, containers);
    const rows = containers.map(
      (container): Row => ({
        ...{container, image: images.get(container.summary.ImageID)},
        ...namedAs(container.summary),
      }),
    );
    if (input.flags.quiet) {
      const ids = new Set(rows.map(({container}) => `${container.summary.ImageID.replace('sha256:', '')}\n`));
      context.stdout.write([...ids].join(''));
    } else if (input.flags.format === 'json') context.stdout.write(`${jsonText(rows.map(rowJson))}\n`);
    else context.stdout.write(rowTable(rows, context));
    return 0;
  });
}

async function inspectImages(
  docker: Docker,
  containers: readonly ProjectContainer[],
): Promise<ReadonlyMap<string, ImageInspect>> {
  const ids = [...new Set(containers.map(({summary}) => summary.ImageID))];
  const found = await mapLimited(ids, inspectsAtOnce, async (id) => {
    try {
      return [[id, await docker.getImage(id).inspect()] as const];
    } catch (error) {
      if (hasKind(error, 'notFound')) return [];
      throw error;
    }
  });
  return new Map(found.flat());
}

const inspectsAtOnce = 8;

/** By the name that the container was made from; one that was made from an id has none. */
function namedAs({Image, ImageID}: ContainerSummary): Pick<Row, 'repository' | 'tag'> {
  if (ImageID.replace('sha256:', '').startsWith(Image.replace('sha256:', ''))) return {repository: '', tag: ''};
  const digest = Image.indexOf('@');
  const {repository, tag} = splitName(digest === -1 ? Image : Image.slice(0, digest));
  return {repository, tag: tag ?? (digest === -1 ? 'latest' : '')};
}

/** The members that Docker Compose has, of its last two versions. */
function rowJson({container, repository, tag, image}: Row): object {
  const time = image?.Metadata?.LastTagTime;
  return {
    ...{ID: container.summary.ImageID, ContainerName: container.name, Repository: repository, Tag: tag},
    ...{Platform: platformOf(image), Size: image?.Size ?? 0},
    ...(image !== undefined && {Created: image.Created}),
    ...(time !== undefined && {LastTagTime: time}),
  };
}

function rowTable(rows: readonly Row[], context: CliContext): string {
  return formatTable(
    ['CONTAINER', 'REPOSITORY', 'TAG', 'PLATFORM', 'IMAGE ID', 'SIZE', 'CREATED'],
    rows.map(({container, repository, tag, image}) => [
      ...[container.name, repository || '<none>', tag || '<none>', platformOf(image)],
      shortId(container.summary.ImageID),
      image === undefined ? '' : humanSize(image.Size),
      image === undefined ? '' : taggedAgo(image, context.now()),
    ]),
    {
      columns: terminalColumns(context),
      drop: ['CREATED', 'SIZE', 'PLATFORM', 'IMAGE ID'],
      cut: {CONTAINER: 16, REPOSITORY: 16},
    },
  );
}

function platformOf(image: ImageInspect | undefined): string {
  return image === undefined ? '' : [image.Os, image.Architecture, image.Variant].filter(Boolean).join('/');
}

/** As in Compose since its name was given to it; without that since it was made. */
function taggedAgo({Metadata, Created}: ImageInspect, now: number): string {
  const tagged = Date.parse(Metadata?.LastTagTime ?? '');
  const time = tagged > 0 ? tagged : Date.parse(Created);
  return time > 0 ? `${humanDuration((now - time) / 1000)} ago` : 'N/A';
}

function age(image: ImageSummary, now: number): string {
  return image.Created <= 0 ? 'N/A' : `${humanDuration(now / 1000 - image.Created)} ago`;
}
