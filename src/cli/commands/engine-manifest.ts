import type {CliContext} from '../context.ts';
import {authFor} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {onlyArgument} from '../only-argument.ts';
import {withEngine} from '../session.ts';

/** Descriptor and platforms, as JSON. */
export function runEngineManifest(context: CliContext, {args}: Input<'engine manifest'>): Promise<number> {
  const name = onlyArgument('engine manifest', args);
  return withEngine(context, async (docker) => {
    const found = await docker.getImage(name).distribution({authconfig: await authFor(context, name)});
    context.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return 0;
  });
}
