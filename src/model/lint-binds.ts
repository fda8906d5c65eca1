import {hasKind} from '../base/errors.ts';
import type {FileSource} from '../base/file-source.ts';
import type {Problems} from './problems.ts';
import type {Project, ServiceVolume} from './types.ts';

/** `nginx.conf`, not `.ssh` or `conf.d`. */
const fileName = /[^/]\.(?!d$)[A-Za-z][A-Za-z0-9]{0,7}$/;

/** Where a file is missing that is to be mounted, an engine makes an empty directory of its name. */
export async function warnOfMissingFiles(
  project: Project,
  {source: files, problems}: {readonly source: FileSource; readonly problems: Problems},
): Promise<void> {
  for (const [name, {volumes = []}] of Object.entries({...project.disabledServices, ...project.services})) {
    for (const [index, volume] of volumes.entries()) {
      if (!looksLikeFile(volume) || !(await isMissing(files, volume.source))) continue;
      problems.warning(project.provenance.span?.(`services.${name}.volumes[${index}].source`), {
        code: 'missing-file',
        message: `services.${name}.volumes: there is no ${volume.source}: it would be made a directory`,
        hint: 'create the file, or correct the path',
      });
    }
  }
}

function looksLikeFile(volume: ServiceVolume): volume is ServiceVolume & {readonly source: string} {
  const {type, source = '', target, bind} = volume;
  return type === 'bind' && bind?.create_host_path !== false && fileName.test(source) && fileName.test(target);
}

async function isMissing(files: FileSource, path: string): Promise<boolean> {
  if (await files.isFile(path)) return false;
  try {
    await files.readBytes(path, 1);
    return false;
  } catch (error) {
    return hasKind(error, 'notFound');
  }
}
