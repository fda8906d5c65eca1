import {TscomposeError} from '../../base/errors.ts';

/** A volume that is a directory of the machine's: `type: none`, `o: bind`, `device: /path`. */
export interface BindVolume {
  /** Absolute. */
  readonly device: string;
}

/**
 * Reads the local driver's options. Undefined: an ordinary volume. A bind of a directory is honoured; what would have to
 * be mounted on the machine is refused by name. Throws `invalid`, `unsupported`.
 */
export function parseVolumeOptions(name: string, options: Readonly<Record<string, string>>): BindVolume | undefined {
  const {type = '', o = '', device = '', ...others} = options;
  const [other] = Object.keys(others);
  if (other !== undefined) {
    const kind = other === 'size' ? 'unsupported' : 'invalid';
    throw new TscomposeError(
      kind,
      `volume "${name}": ${kind === 'invalid' ? 'unknown' : 'unsupported'} driver option "${other}"`,
    );
  }
  if (type === '' && o === '' && device === '') return undefined;
  const flags = o.split(',').filter((flag) => flag !== '');
  const isBind = flags.some((flag) => flag === 'bind' || flag === 'rbind');
  if (!isBind || !['', 'none', 'bind'].includes(type)) throw unsupportedType(name, type);
  const strange = flags.find((flag) => !['bind', 'rbind', 'rw'].includes(flag));
  if (strange !== undefined) {
    throw new TscomposeError(
      'unsupported',
      `volume "${name}": driver option "o" has "${strange}", which is not supported`,
      {
        hint: 'only "bind" is',
      },
    );
  }
  if (!device.startsWith('/')) {
    throw new TscomposeError(
      'invalid',
      `volume "${name}": driver option "device" is not an absolute path: "${device}"`,
    );
  }
  return {device};
}

function unsupportedType(name: string, type: string): TscomposeError {
  if (type === '') return new TscomposeError('invalid', `volume "${name}": missing driver option "type"`);
  const hint =
    type === 'tmpfs' ? 'give the service a "tmpfs" mount' : 'mount it on the machine and use type "none" with o "bind"';
  return new TscomposeError('unsupported', `volume "${name}": driver option "type" ${type} is not supported`, {hint});
}
