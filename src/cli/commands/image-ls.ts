import type {ImageSummary} from '../../api/types/image.ts';
import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {readFilters, shortId, splitName} from '../image-name.ts';
import {imageTree} from '../image-tree.ts';
import {humanDuration} from '../relative-time.ts';
import {formatRows, parseRowTemplate, type Row, toLines} from '../row-template.ts';
import {withEngine} from '../session.ts';
import {humanSize} from '../size.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

/** Fields of a row and their titles, as Docker names them. */
const titles = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
  VirtualSize: 'SIZE',
  Containers: 'CONTAINERS',
} as const;

const none = '<none>';

export function runImageList(context: CliContext, {args, flags}: ImageInput<'ls'>): Promise<number> {
  const [reference] = checkCount(args, {least: 0, most: 1, usage: 'engine images [OPTIONS] [REPOSITORY[:TAG]]'});
  const filters = readFilters([...flags.filter, ...(reference === undefined ? [] : [`reference=${reference}`])]);
  const template =
    flags.format === undefined || flags.format === 'table'
      ? undefined
      : parseRowTemplate(flags.format, Object.keys(titles));
  if (flags.tree) {
    const other = (['digests', 'format', 'no-trunc', 'quiet'] as const).find((name) => Boolean(flags[name]));
    if (other !== undefined) throw wrongUse(`--tree and --${other} cannot go together`);
  }
  return withEngine(context, async (docker) => {
    if (flags.tree) {
      const images = await docker.listImages({all: flags.all, filters, manifests: true});
      context.stdout.write(imageTree(images, terminalColumns(context)));
      return 0;
    }
    const images = await docker.listImages({all: flags.all, filters});
    const withDigests = flags.digests || template?.fields.has('Digest') === true;
    const rows = images.flatMap((image) => rowsOf(image, {withDigests, now: context.now(), ...flags}));
    if (flags.quiet) context.stdout.write(toLines(rows.map(({ID}) => ID)));
    else if (template) context.stdout.write(formatRows(template, rows, titles, terminalColumns(context)));
    else context.stdout.write(table(rows, flags.digests, terminalColumns(context)));
    return 0;
  });
}

type Fields = {readonly [K in keyof typeof titles]: string} & Row;

function rowsOf(
  image: ImageSummary,
  {withDigests, now, ...flags}: {readonly withDigests: boolean; readonly now: number; readonly 'no-trunc': boolean},
): readonly Fields[] {
  const common = {
    ID: flags['no-trunc'] ? image.Id : shortId(image.Id),
    CreatedSince: image.Created <= 0 ? 'N/A' : `${humanDuration(now / 1000 - image.Created)} ago`,
    CreatedAt: `${new Date(image.Created * 1000).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`,
    Size: humanSize(image.Size),
    SharedSize: image.SharedSize < 0 ? 'N/A' : humanSize(image.SharedSize),
    UniqueSize: image.SharedSize < 0 ? 'N/A' : humanSize(image.Size - image.SharedSize),
    VirtualSize: humanSize(image.Size),
    Containers: image.Containers < 0 ? 'N/A' : String(image.Containers),
  };
  return namesOf(image, withDigests).map((name) => ({...name, ...common}));
}

interface Name {
  readonly Repository: string;
  readonly Tag: string;
  readonly Digest: string;
}

/** A row a tag; with digests one for each of the same repository. What has only digests has a row for each repository. */
function namesOf({RepoTags, RepoDigests}: ImageSummary, withDigests: boolean): readonly Name[] {
  const digests = RepoDigests.map((text) => {
    const at = text.indexOf('@');
    return {Repository: text.slice(0, at), Digest: text.slice(at + 1)};
  });
  const tags = RepoTags.map((text) => {
    const {repository, tag = 'latest'} = splitName(text);
    return {Repository: repository, Tag: tag};
  });
  const untagged = digests.filter(({Repository}) => !tags.some((tag) => tag.Repository === Repository));
  const named = [
    ...tags.flatMap((tag) => {
      const own = withDigests ? digests.filter(({Repository}) => Repository === tag.Repository) : [];
      return own.length === 0 ? [{...tag, Digest: none}] : own.map(({Digest}) => ({...tag, Digest}));
    }),
    ...untagged.map((digest) => ({...digest, Tag: none})),
  ];
  return named.length === 0 ? [{Repository: none, Tag: none, Digest: none}] : named;
}

function table(rows: readonly Fields[], withDigests: boolean, columns: number | undefined): string {
  const fields = [
    'Repository',
    'Tag',
    ...(withDigests ? (['Digest'] as const) : []),
    'ID',
    'CreatedSince',
    'Size',
  ] as const;
  return formatTable(
    fields.map((field) => titles[field]),
    rows.map((row) => fields.map((field) => row[field])),
    {columns, drop: ['CREATED', 'SIZE', 'DIGEST', 'IMAGE ID'], cut: {REPOSITORY: 16}},
  );
}
