import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {readFilters} from '../image-name.ts';
import {type ImageFields, imageRows, imageTitles} from '../image-rows.ts';
import {imageTree} from '../image-tree.ts';
import {formatRows, parseRowTemplate, toLines} from '../row-template.ts';
import {withEngine} from '../session.ts';
import {formatTable} from '../table.ts';
import {terminalColumns} from '../terminal-columns.ts';
import {checkCount, wrongUse} from '../wrong-use.ts';

export function runImageList(context: CliContext, {args, flags}: ImageInput<'ls'>): Promise<number> {
  const [reference] = checkCount(args, {least: 0, most: 1, usage: 'engine images [OPTIONS] [REPOSITORY[:TAG]]'});
  const filters = readFilters([...flags.filter, ...(reference === undefined ? [] : [`reference=${reference}`])]);
  const template =
    flags.format === undefined || flags.format === 'table'
      ? undefined
      : parseRowTemplate(flags.format, Object.keys(imageTitles));
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
    const rows = images.flatMap((image) => imageRows(image, {withDigests, now: context.now(), ...flags}));
    if (flags.quiet) context.stdout.write(toLines(rows.map(({ID}) => ID)));
    else if (template)
      context.stdout.write(formatRows(template, rows, {titles: imageTitles, columns: terminalColumns(context)}));
    else context.stdout.write(table(rows, flags.digests, terminalColumns(context)));
    return 0;
  });
}

function table(rows: readonly ImageFields[], withDigests: boolean, columns: number | undefined): string {
  const fields = [
    'Repository',
    'Tag',
    ...(withDigests ? (['Digest'] as const) : []),
    'ID',
    'CreatedSince',
    'Size',
  ] as const;
  return formatTable(
    fields.map((field) => imageTitles[field]),
    rows.map((row) => fields.map((field) => row[field])),
    {columns, drop: ['CREATED', 'SIZE', 'DIGEST', 'IMAGE ID'], cut: {REPOSITORY: 16}},
  );
}
