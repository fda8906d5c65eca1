import type {CliContext} from '../context.ts';
import {inspectEach} from '../engine-resources.ts';
import type {ImageInput} from '../image-flags.ts';

/** What not every image has. */
const optional: readonly string[] = ['Variant', 'Author', 'Comment'];

export function runImageInspect(
  context: CliContext,
  {args, flags: {format, platform}}: ImageInput<'inspect'>,
): Promise<number> {
  const options = {names: args, usage: 'engine image inspect [OPTIONS] IMAGE...', format, optional};
  return inspectEach(context, options, (docker, name) => docker.getImage(name).inspect({platform}));
}
