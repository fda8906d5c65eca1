import type {RegistryManifest} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import {authFor} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {onlyArgument} from '../only-argument.ts';
import {withEngine} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

/** Descriptor and platforms, as JSON; or the manifests themselves, or what refers to them. */
export function runEngineManifest(context: CliContext, {args, flags}: Input<'engine manifest'>): Promise<number> {
  const name = onlyArgument('engine manifest', args);
  const asked = (['raw', 'verbose', 'referrers'] as const).filter((flag) => flags[flag]);
  if (asked.length > 1) throw wrongUse(`--${asked[0]} and --${asked[1]} cannot go together`);
  return withEngine(context, async (docker) => {
    if (asked.length > 0 && !(await docker.features()).has('platforms')) {
      throw new TscomposeError('unsupported', `--${asked[0]}: this engine tells no more than descriptor and platforms`);
    }
    const {raw, verbose, referrers} = flags;
    const found = await docker
      .getImage(name)
      .distribution({authconfig: await authFor(context, name), manifests: raw || verbose, referrers});
    const {Manifests = [], Referrers = [], ...plain} = found;
    if (raw) context.stdout.write(bytesOf(Manifests[0]));
    else context.stdout.write(json(verbose ? Manifests.map(described) : referrers ? Referrers : plain));
    return 0;
  });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function bytesOf(manifest: RegistryManifest | undefined): Buffer {
  return Buffer.from(manifest?.Raw ?? '', 'base64');
}

/** With what it says, in place of its bytes. */
function described(manifest: RegistryManifest): object {
  return {Descriptor: manifest.Descriptor, Manifest: JSON.parse(bytesOf(manifest).toString('utf8'))};
}
