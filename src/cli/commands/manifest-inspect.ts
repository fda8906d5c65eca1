import type {DistributionInspect, RegistryManifest} from '../../api/types/image.ts';
import {TscomposeError} from '../../base/errors.ts';
import type {CliContext} from '../context.ts';
import {authFor} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {jsonText} from '../json-text.ts';
import {onlyArgument} from '../only-argument.ts';
import {warnOnce, withEngine} from '../session.ts';
import {wrongUse} from '../wrong-use.ts';

/** What a name stands for in its registry, as JSON: as Docker prints it, or byte for byte, or what is known beside it. */
export function runManifestInspect(
  context: CliContext,
  {args, flags}: Input<'engine manifest inspect'>,
): Promise<number> {
  const name = onlyArgument('engine manifest inspect', args);
  const asked = (['raw', 'verbose', 'platforms', 'referrers'] as const).filter((flag) => flags[flag]);
  if (asked.length > 1) throw wrongUse(`--${asked[0]} and --${asked[1]} cannot go together`);
  return withEngine(context, async (docker) => {
    const {platforms, referrers} = flags;
    if (!platforms && !(await docker.features()).has('platforms')) {
      throw new TscomposeError('unsupported', 'this engine tells no more of manifests than descriptor and platforms', {
        hint: 'they are printed with --platforms',
      });
    }
    const manifests = !platforms && !referrers;
    const authconfig = await authFor(context, name, warnOnce(context));
    const found = await docker.getImage(name).distribution({authconfig, manifests, referrers});
    const {Manifests: [target] = [], Referrers = [], ...plain} = found;
    if (flags.raw) context.stdout.write(bytesOf(target));
    else if (platforms) context.stdout.write(json(plain));
    else if (referrers) context.stdout.write(json(Referrers));
    else context.stdout.write(json(flags.verbose ? described(name, found) : contentOf(target)));
    return 0;
  });
}

function json(value: unknown): string {
  return `${jsonText(value, '\t')}\n`;
}

function bytesOf(manifest: RegistryManifest | undefined): Buffer {
  return Buffer.from(manifest?.Raw ?? '', 'base64');
}

function contentOf(manifest: RegistryManifest | undefined): unknown {
  return JSON.parse(bytesOf(manifest).toString('utf8'));
}

/** Of an index those that it names, else the one. */
function described(name: string, {Manifests: [target, ...named] = [], Platforms: [platform]}: DistributionInspect) {
  if (named.length > 0 || target === undefined || isIndex(target)) {
    return named.map((manifest) => describe(`${repositoryOf(name)}@${manifest.Descriptor.digest}`, manifest));
  }
  const Descriptor = {...target.Descriptor, ...(platform === undefined ? {} : {platform})};
  return describe(name, {...target, Descriptor});
}

function isIndex({Descriptor: {mediaType}}: RegistryManifest): boolean {
  return /(?:manifest\.list\.v2|image\.index\.v1)\+json$/.test(mediaType);
}

function describe(Ref: string, manifest: RegistryManifest): object {
  const {Descriptor, Raw} = manifest;
  const member = Descriptor.mediaType.startsWith('application/vnd.docker.') ? 'SchemaV2Manifest' : 'OCIManifest';
  return {Ref, Descriptor, Raw, [member]: contentOf(manifest)};
}

/** Without tag and digest. */
function repositoryOf(name: string): string {
  const [named = ''] = name.split('@');
  return named.replace(/:[^:/]*$/, '');
}
