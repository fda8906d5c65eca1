import type {CliContext} from '../context.ts';
import {throwLast} from '../engine-resources.ts';
import type {ImageInput} from '../image-flags.ts';
import {jsonText} from '../json-text.ts';
import {checkFields, fillTemplate, parseRowTemplate, type Row, type RowTemplate} from '../row-template.ts';
import {withEngine} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

/** What not every image has. */
const optionalFields: readonly string[] = ['Variant', 'Author', 'Comment'];

/** Those that are there are printed where others are not. */
export function runImageInspect(context: CliContext, {args, flags}: ImageInput<'inspect'>): Promise<number> {
  if (args.length === 0)
    throw wrongUse('too few arguments', 'write: tscompose engine image inspect [OPTIONS] IMAGE...');
  const template = flags.format === undefined || flags.format === '' ? undefined : parseRowTemplate(flags.format);
  const {stdout} = context;
  return withEngine(context, async (docker) => {
    const found: Row[] = [];
    const failures: unknown[] = [];
    for (const name of args) {
      try {
        found.push({...(await docker.getImage(name).inspect({platform: flags.platform}))});
      } catch (error) {
        failures.push(error);
      }
    }
    if (template) for (const image of found) stdout.write(`${fillImage(template, image, stdout.isTTY === true)}\n`);
    else stdout.write(`${jsonText(found, 4)}\n`);
    return throwLast(context, failures);
  });
}

function fillImage(template: RowTemplate, image: Row, forTerminal: boolean): string {
  checkFields(template, [...new Set([...Object.keys(image), ...optionalFields])]);
  return fillTemplate(template, image, forTerminal);
}
