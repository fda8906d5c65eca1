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
  return flags.format === 'json' ? JSON.stringify(value, null, 2) : yamlText(value as Json);
}
