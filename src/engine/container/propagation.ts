import {readFile, realpath} from 'node:fs/promises';
import {TscomposeError} from '../../base/errors.ts';

/**
 * A mount spreads to the machine only from a shared one, and from it only to a shared or slave one: else what was asked for
 * would not happen, so Docker refuses it (moby daemon/oci_linux.go). Throws `invalid`.
 */
export async function checkPropagation(source: string, propagation: string): Promise<void> {
  const wanted = propagation.replace(/^r/, '');
  if (wanted !== 'shared' && wanted !== 'slave') return;
  const {place, isShared, isSlave} = await mountOf(await realpath(source));
  if (isShared || (wanted === 'slave' && isSlave)) return;
  const missing = wanted === 'shared' ? 'shared mount' : 'shared or slave mount';
  throw new TscomposeError('invalid', `path ${source} is mounted on ${place} but it is not a ${missing}`, {
    hint: `make it one: mount --make-shared ${place}`,
  });
}

interface MountPlace {
  readonly place: string;
  readonly isShared: boolean;
  readonly isSlave: boolean;
}

/** The mount that a path is on: of those above it the deepest, of several there the last (proc_pid_mountinfo(5)). */
async function mountOf(path: string): Promise<MountPlace> {
  let found: MountPlace = {place: '/', isShared: false, isSlave: false};
  for (const line of (await readFile('/proc/self/mountinfo', 'utf8')).split('\n')) {
    const [, , , , written, , ...rest] = line.split(' ');
    if (written === undefined) continue;
    const place = written.replace(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    const isAbove = place === '/' || path === place || path.startsWith(`${place}/`);
    if (!isAbove || place.length < found.place.length) continue;
    const tags = rest.slice(0, rest.indexOf('-'));
    found = {
      place,
      isShared: tags.some((tag) => tag.startsWith('shared:')),
      isSlave: tags.some((tag) => tag.startsWith('master:')),
    };
  }
  return found;
}
