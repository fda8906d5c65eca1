import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {fillTemplate, parseRowTemplate, type Row} from '../row-template.ts';
import {withEngine} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

/** What every image has: a template may ask for these, and for members of them (`.Config.Cmd`). */
const fields = [
  'Id',
  'RepoTags',
  'RepoDigests',
  'Created',
  'Author',
  'Architecture',
  'Variant',
  'Os',
  'Size',
  'Config',
  'RootFS',
];

export function runImageInspect(context: CliContext, {args, flags}: ImageInput<'inspect'>): Promise<number> {
  if (args.length === 0)
    throw wrongUse('too few arguments', 'write: tscompose engine image inspect [OPTIONS] IMAGE...');
  const template = flags.format === undefined ? undefined : parseRowTemplate(flags.format, fields);
  return withEngine(context, async (docker) => {
    const found: Row[] = [];
    for (const name of args) {
      found.push({...(await docker.getImage(name).inspect({platform: flags.platform}))});
    }
    if (template) for (const image of found) context.stdout.write(`${fillTemplate(template, image)}\n`);
    else context.stdout.write(`${JSON.stringify(found, undefined, 4)}\n`);
    return 0;
  });
}
