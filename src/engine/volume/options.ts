import {isIP} from 'node:net';
import {TscomposeError} from '../../base/errors.ts';
import {sortMountOptions} from '../mount-options.ts';

/** What mount(2) is told for a volume that is a file system of its own. */
export interface VolumeMountPlan {
  /** `bind`: the tree `device` of the machine. */
  readonly type: string;
  readonly device: string;
  /** With commas, as the helper takes them. */
  readonly flags: string;
  readonly data: string;
}

/** What is needed beside an option, in the order in which Docker looks. */
const companions: Readonly<Record<string, readonly string[]>> = {
  type: ['device'],
  device: ['type'],
  o: ['device', 'type'],
};

/** Checks the names of the local driver's options, as Docker does at creation. Throws `invalid`, `unsupported`. */
export function checkVolumeOptions(name: string, options: Readonly<Record<string, string>>): void {
  const wrong = (reason: string) => new TscomposeError('invalid', `create ${name}: ${reason}`);
  for (const option of Object.keys(options)) {
    if (option === 'size')
      throw new TscomposeError('unsupported', `create ${name}: quota size requested but no quota support`, {
        hint: 'give memory a size with the option "o": type=tmpfs, device=tmpfs, o=size=100m',
      });
    if (!Object.hasOwn(companions, option)) throw wrong(`invalid option: "${option}"`);
  }
  for (const [option, needed] of Object.entries(companions)) {
    const missing = Object.hasOwn(options, option) ? needed.find((other) => !Object.hasOwn(options, other)) : undefined;
    if (missing !== undefined) throw wrong(`missing required option: "${missing}"`);
  }
  if (!isMounted(options)) return;
  const {o = '', device = ''} = options;
  if (device === '') throw wrong('missing device in volume options');
  const words = o.split(',');
  if (words.includes('remount')) throw wrong('the option "remount" says nothing of a new mount');
  if (words.some(isBindWord) && !device.startsWith('/'))
    throw wrong(`the device of a bind is not an absolute path: "${device}"`);
}

function isBindWord(word: string): boolean {
  return word === 'bind' || word === 'rbind';
}

/** Options of which nothing is said mount nothing. */
export function isMounted({type = '', device = ''}: Readonly<Record<string, string>>): boolean {
  return type !== '' || device !== '';
}

/** `resolveHost`: the address of a server; the kernel takes nothing else. Throws what that throws, and `invalid`. */
export async function planVolumeMount(
  {type = '', o = '', device = ''}: Readonly<Record<string, string>>,
  resolveHost: (host: string) => Promise<string>,
): Promise<VolumeMountPlan> {
  const words = await Promise.all(
    o
      .split(',')
      .filter((word) => word !== '')
      .map((word) => (['nfs', 'nfs4', 'cifs'].includes(type) ? resolved(word, resolveHost) : word)),
  );
  const {flags, others, propagation} = sortMountOptions(words);
  const data = others.filter((word) => !isBindWord(word));
  const isBind = data.length < others.length;
  return {
    type: isBind ? 'bind' : type,
    device,
    flags: [
      ...flags,
      ...(others.includes('rbind') ? ['rec'] : []),
      ...(propagation === undefined ? [] : [propagation]),
    ].join(','),
    // A bind has the data of what is bound.
    data: isBind ? '' : data.join(','),
  };
}

async function resolved(word: string, resolveHost: (host: string) => Promise<string>): Promise<string> {
  const host = /^addr=(.+)$/.exec(word)?.[1];
  return host === undefined || isIP(host) > 0 ? word : `addr=${await resolveHost(host)}`;
}

/** As it may be shown: passwords are nobody's business. */
export function showVolumeMount({type, device, flags, data}: VolumeMountPlan): string {
  const shown = [flags, data.replace(/(^|,)(pass(?:word)?)=[^,]*/g, '$1$2=********')].filter((text) => text !== '');
  return `${device} of type ${type}${shown.length === 0 ? '' : ` with ${shown.join(',')}`}`;
}
