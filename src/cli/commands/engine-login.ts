import {createInterface} from 'node:readline/promises';
import {Writable} from 'node:stream';
import {exitCodes, TscomposeError} from '../../base/errors.ts';
import type {Credential} from '../../engine/registry/credential.ts';
import {registryOfAddress} from '../../engine/registry/credentials/server-address.ts';
import type {CliContext} from '../context.ts';
import {authOf, credentialsOf} from '../credentials.ts';
import type {Input} from '../flags.ts';
import {withEngine} from '../session.ts';

/** Asks the registry whether it accepts them, then keeps them where Docker and podman find them too. */
export function runEngineLogin(context: CliContext, {args, flags}: Input<'engine login'>): Promise<number> {
  const [address = '', ...more] = args;
  if (more.length > 0) throw wrongUse('"engine login" takes one registry');
  const registry = registryOfAddress(address);
  return withEngine(context, async (docker) => {
    const {credential, isKnown} = await credentialFor(context, flags, registry);
    const {IdentityToken} = await docker.checkAuth(authOf(credential, registry));
    if (!isKnown)
      await keep(context, registry, IdentityToken === '' ? credential : withToken(credential, IdentityToken));
    context.stdout.write('Login Succeeded\n');
    return 0;
  });
}

function withToken({username}: Credential, identityToken: string): Credential {
  return {...(username === undefined ? {} : {username}), identityToken};
}

async function keep(context: CliContext, registry: string, credential: Credential): Promise<void> {
  const place = await credentialsOf(context).store(registry, credential);
  if (!('file' in place)) return;
  context.stderr.write(
    `the credentials are kept in ${place.file}, for its owner to read; a credential helper ("credsStore") keeps them safer\n`,
  );
}

type LoginFlags = Input<'engine login'>['flags'];

/** From flags, standard input or the terminal; with none of these, those that are known are checked again. */
async function credentialFor(
  context: CliContext,
  flags: LoginFlags,
  registry: string,
): Promise<{readonly credential: Credential; readonly isKnown: boolean}> {
  if (flags.password !== undefined && flags['password-stdin']) {
    throw wrongUse('--password and --password-stdin are two ways to say the same: use one');
  }
  if (flags.password !== undefined) {
    context.stderr.write('others can see the password in the list of processes: --password-stdin hides it\n');
  }
  if (flags['password-stdin'] && flags.username === undefined) throw wrongUse('--password-stdin needs --username');
  if (flags.username === undefined && flags.password === undefined) {
    const known = await credentialsOf(context).find(registry);
    if (known !== undefined) return {credential: known, isKnown: true};
  }
  const username = flags.username ?? (await ask(context, 'Username: ', false));
  const password =
    flags.password ?? (flags['password-stdin'] ? await readPassword(context) : await ask(context, 'Password: ', true));
  if (username === '' || password === '') throw wrongUse('a user name and a password are needed');
  return {credential: {username, password}, isKnown: false};
}

/** The end of the line does not belong to it. */
async function readPassword({stdin}: CliContext): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stdin) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

async function ask({stdin, stderr}: CliContext, question: string, isSecret: boolean): Promise<string> {
  if (stdin.isTTY !== true) {
    throw wrongUse('there is no terminal to ask for the password: use --username and --password-stdin');
  }
  let isHidden = false;
  // The line editor draws the question; of a secret it shows nothing that is typed.
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isHidden) stderr.write(chunk);
      done();
    },
  });
  const lines = createInterface({input: stdin, output, terminal: true});
  // Ctrl-C and Ctrl-D close it, and the question would wait for ever.
  const closed = new Promise<never>((_resolve, reject) => {
    lines.once('close', () => reject(new TscomposeError('canceled', 'interrupted')));
  });
  closed.catch(() => undefined);
  try {
    const answer = lines.question(question);
    isHidden = isSecret;
    return (await Promise.race([answer, closed])).trim();
  } finally {
    lines.close();
    if (isSecret) stderr.write('\n');
  }
}

function wrongUse(message: string): TscomposeError {
  return new TscomposeError('invalid', message, {
    exitCode: exitCodes.usage,
    hint: 'see: tscompose engine login --help',
  });
}
