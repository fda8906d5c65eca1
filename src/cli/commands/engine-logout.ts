import {exitCodes, TscomposeError} from '../../base/errors.ts';
import {registryOfAddress} from '../../engine/registry/credentials/server-address.ts';
import type {CliContext} from '../context.ts';
import {credentialsOf} from '../credentials.ts';
import type {Input} from '../flags.ts';

/** Needs no engine: only what is kept for this user goes. */
export async function runEngineLogout(context: CliContext, {args}: Input<'engine logout'>): Promise<number> {
  const [address = '', ...more] = args;
  if (more.length > 0) {
    throw new TscomposeError('invalid', '"engine logout" takes one registry', {exitCode: exitCodes.usage});
  }
  const registry = registryOfAddress(address);
  const wasKnown = await credentialsOf(context).erase(registry);
  context.stdout.write(wasKnown ? `Removed the credentials for ${registry}\n` : `Not logged in to ${registry}\n`);
  return 0;
}
