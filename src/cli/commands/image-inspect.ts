import {toTscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import type {ImageInput} from '../image-flags.ts';
import {reportError} from '../report-error.ts';
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
    if (template) for (const image of found) context.stdout.write(`${fillImage(template, image)}\n`);
    else context.stdout.write(`${JSON.stringify(found, undefined, 4)}\n`);
    const last = failures.pop();
    if (last === undefined) return 0;
    for (const error of failures) reportError(context, toTscomposeError(error, 'cannot inspect an image'));
    throw last;
  });
}

function fillImage(template: RowTemplate, image: Row): string {
  checkFields(template, [...new Set([...Object.keys(image), ...optionalFields])]);
  return fillTemplate(template, image);
}
