import {TscomposeError} from '../../base/errors.ts';
import {helperFailure} from '../helper/reply.ts';

/** Ports of a bridge (BR_MAX_PORTS in the kernel's net/bridge/br_private.h). */
const mostInterfaces = 1023;

/** Says of an interface that no bridge took how many a network can have; any other error passes unchanged. */
export function explainFullBridge(
  error: unknown,
  interfaces: readonly {readonly network: {readonly name: string}}[],
): unknown {
  if (helperFailure(error)?.errno !== 'EXFULL') return error;
  const names = interfaces.map(({network}) => `"${network.name}"`);
  const which = names.length === 1 ? `network ${names[0]} is` : `one of the networks ${names.join(', ')} is`;
  return new TscomposeError(
    'exhausted',
    `${which} full: the bridge of a network takes ${mostInterfaces} containers that run`,
    {hint: 'stop containers that are not needed, or put some of them into another network', cause: error},
  );
}
