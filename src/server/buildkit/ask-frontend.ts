import {TscomposeError} from '../../base/errors.ts';
import {clientDirectories, readSources} from './client-sources.ts';
import {readFrontendOptions} from './frontend-options.ts';
import type {Sessions} from './sessions.ts';

/** Answers what is asked of the frontend of a client's Dockerfile in place of building it (`requestid`). */
export async function askFrontend(
  {requestid = '', ...options}: Readonly<Record<string, string>>,
  {sessions, session, signal}: {readonly sessions: Sessions; readonly session: string; readonly signal: AbortSignal},
): Promise<Readonly<Record<string, Uint8Array>>> {
  // What stages begin with is not looked at.
  const relevant = Object.entries(options).filter(([name]) => !name.startsWith('context:'));
  const frontend = readFrontendOptions(Object.fromEntries(relevant), {entitlements: [], inputs: {}});
  if (frontend.main !== undefined && !frontend.sendsDockerfile)
    throw new TscomposeError('unsupported', 'cannot look at a Dockerfile that only a build fetches', {
      hint: 'fetch it, and name it with -f',
    });
  const directory = clientDirectories(sessions, {frontend, session});
  const {dockerfile: source} = await readSources(frontend, directory, signal);
  const {answerRequest} = await import('./frontend-requests.ts');
  const told = answerRequest(requestid, {source, target: frontend.body.target, arguments: frontend.body.arguments});
  return Object.fromEntries(Object.entries(told).map(([key, value]) => [key, Buffer.from(value)]));
}
