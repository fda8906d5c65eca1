import {spawn} from 'node:child_process';
import {TscomposeError} from '../../../base/errors.ts';
import {isObject} from '../../image/configuration.ts';
import type {Credential} from '../credential.ts';
import type {CredentialEnvironment} from './config-file.ts';

/** A program `docker-credential-NAME`: https://github.com/docker/docker-credential-helpers */
export interface CredentialHelper {
  /** Undefined where it has none. */
  get(server: string): Promise<Credential | undefined>;
  store(server: string, credential: Credential): Promise<void>;
  erase(server: string): Promise<void>;
}

const notFound = 'credentials not found in native keychain';
/** It may ask somebody to unlock something. */
const timeoutMs = 120_000;
const outputMax = 1024 * 1024;

export function credentialHelper(name: string, environment: CredentialEnvironment): CredentialHelper {
  const program = `docker-credential-${name}`;
  const run = async (verb: string, input: string) => await runProgram(program, verb, input, environment);
  return {
    async get(server) {
      const {code, output} = await run('get', server);
      if (code !== 0) {
        if (output.trim() === notFound) return undefined;
        throw failed(program, 'get', output);
      }
      const answer = readAnswer(output, program);
      const [username, secret] = [answer['Username'], answer['Secret']];
      if (typeof secret !== 'string' || secret === '') return undefined;
      if (username === '<token>') return {identityToken: secret};
      return {...(typeof username === 'string' ? {username} : {}), password: secret};
    },
    async store(server, {username = '', password = '', identityToken}) {
      const [Username, Secret] = identityToken === undefined ? [username, password] : ['<token>', identityToken];
      const {code, output} = await run('store', JSON.stringify({ServerURL: server, Username, Secret}));
      if (code !== 0) throw failed(program, 'store', output);
    },
    async erase(server) {
      const {code, output} = await run('erase', server);
      if (code !== 0 && output.trim() !== notFound) throw failed(program, 'erase', output);
    },
  };
}

/** Without the parser's own message: that quotes what it stumbled over, which may be a password. */
function readAnswer(output: string, program: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(output);
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw new TscomposeError('unavailable', `${program} get answered what is not a JSON object`);
}

function failed(program: string, verb: string, output: string): TscomposeError {
  return new TscomposeError(
    'unavailable',
    `${program} ${verb} failed: ${output.trim().slice(0, 200) || 'no reason given'}`,
  );
}

function runProgram(
  program: string,
  verb: string,
  input: string,
  environment: CredentialEnvironment,
): Promise<{readonly code: number | null; readonly output: string}> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [verb], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: timeoutMs,
      env: {...environment},
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.length > outputMax) child.kill('SIGKILL');
    });
    // One that does not read its input has an answer of its own.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'ENOENT' ? 'it is not installed' : cause.message;
      reject(
        new TscomposeError('unavailable', `cannot run the credential helper ${program}: ${reason}`, {
          cause,
          hint: 'install it, or remove "credsStore" and "credHelpers" from the Docker configuration',
        }),
      );
    });
    child.on('close', (code) => resolve({code, output}));
  });
}
