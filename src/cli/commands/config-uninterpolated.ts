import type {Json} from '../../base/canonical-json.ts';
import {machineFiles} from '../../base/file-source.ts';
import {loadUninterpolated} from '../../model/uninterpolated.ts';
import {yamlText} from '../../model/yaml-text.ts';
import type {CliContext} from '../context.ts';
import type {Input} from '../flags.ts';
import {loadRequest, warn} from '../session.ts';

/** The merged files with their variables as they stand. */
export async function uninterpolatedText(context: CliContext, flags: Input<'config'>['flags']): Promise<string> {
  const request = loadRequest(context, {
    skip: {
      interpolation: true,
      pathResolution: flags['no-path-resolution'],
      normalization: flags['no-normalize'],
    },
  });
  const {value, warnings} = await loadUninterpolated(request, machineFiles);
  warn(context, warnings);
  if (!flags['resolve-image-digests'] && !flags['lock-image-digests']) return textOf(value, flags);
  const {imagesOnly} = await import('../lock/image-digests.ts');
  const resolved = await withDigests(context, value as Stack);
  if (!flags['lock-image-digests']) return textOf(resolved, flags);
  return imagesOnly(resolved.services, flags.format === 'json' ? 'json' : 'yaml');
}

function textOf(value: Json, flags: Input<'config'>['flags']): string {
  return flags.format === 'json' ? JSON.stringify(value, null, 2) : yamlText(value);
}

type Services = Readonly<Record<string, {readonly [key: string]: Json}>>;
type Stack = {readonly [key: string]: Json} & {readonly services?: Services};

/** Without its variables it is not known which image a name with one is: such a name is refused as what it is, none. */
async function withDigests(context: CliContext, stack: Stack): Promise<Stack & {readonly services: Services}> {
  const {imagesWithDigests} = await import('../lock/image-digests.ts');
  const services = stack.services ?? {};
  const stated = Object.entries(services).flatMap(([name, {image}]) =>
    typeof image === 'string' ? [[name, image] as const] : [],
  );
  const where = {name: String(stack['name']), workingDir: context.cwd, provenance: {at: () => undefined}};
  const images = await imagesWithDigests(context, where, new Map(stated));
  const resolved = Object.entries(services).map(([name, service]) => {
    const image = images.get(name);
    return [name, image === undefined ? service : {...service, image}] as const;
  });
  return {...stack, services: Object.fromEntries(resolved)};
}
