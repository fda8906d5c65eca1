import {createHmac, randomBytes} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {compare} from 'bcryptjs';
import {createLimiter} from '../../base/concurrency.ts';
import {TscomposeError, toTscomposeError} from '../../base/errors.ts';

/** Users and their passwords' hashes, as Apache's `htpasswd -B` writes them. */
export interface PasswordFile {
  /** Throws `exhausted` where too many are being checked: each costs as much as its hash says. */
  verify(user: string, password: string): Promise<boolean>;
}

/** What was verified once is not computed again for each request of a push. */
const rememberedMax = 1000;
const atOnce = 2;
const waitingMax = 32;
/** Of no password: who asks for a user that there is not waits as long. */
const noHash = '$2b$10$cpQuthLvAavhUQbvASgIZePCKzB3RXYePwi8p.PSg/dy/mZtw/h2i';

/** The file is read again when it changes. Throws `notFound`, `forbidden`, `invalid` for a line that is no bcrypt hash. */
export async function openPasswordFile(path: string): Promise<PasswordFile> {
  let known = await readUsers(path);
  const key = randomBytes(32);
  const remembered = new Set<string>();
  const limit = createLimiter(atOnce);
  let waiting = 0;
  const users = async (): Promise<ReadonlyMap<string, string>> => {
    const version = await versionOf(path);
    // One that is being replaced, or was written wrong, changes nothing until it is right.
    if (version !== undefined && version !== known.version) known = await readUsers(path).catch(() => known);
    return known.users;
  };
  return {
    async verify(user, password) {
      const hash = (await users()).get(user);
      const mark = createHmac('sha256', key)
        .update(JSON.stringify([user, password, hash]))
        .digest('hex');
      if (remembered.has(mark)) return true;
      if (waiting >= waitingMax) throw new TscomposeError('exhausted', 'too many passwords are being checked');
      waiting += 1;
      try {
        const isRight = (await limit(() => compare(password, hash ?? noHash))) && hash !== undefined;
        if (isRight) remember(remembered, mark);
        return isRight;
      } finally {
        waiting -= 1;
      }
    },
  };
}

function remember(remembered: Set<string>, mark: string): void {
  const [oldest] = remembered;
  if (remembered.size >= rememberedMax && oldest !== undefined) remembered.delete(oldest);
  remembered.add(mark);
}

async function versionOf(path: string): Promise<string | undefined> {
  return await stat(path).then(
    ({mtimeMs, ino, size}) => `${mtimeMs} ${ino} ${size}`,
    () => undefined,
  );
}

interface Known {
  readonly version: string | undefined;
  readonly users: ReadonlyMap<string, string>;
}

async function readUsers(path: string): Promise<Known> {
  const version = await versionOf(path);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT')
      throw new TscomposeError('notFound', `cannot read ${path}: no such file`, {cause: error});
    throw toTscomposeError(error, `cannot read ${path}`);
  });
  return {version, users: parseUsers(text, path)};
}

function parseUsers(text: string, path: string): ReadonlyMap<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const [, user, hash] = /^([^:]+):(\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})$/.exec(trimmed) ?? [];
    if (user === undefined || hash === undefined) {
      throw new TscomposeError('invalid', `${path}:${index + 1}: this is no user with a bcrypt hash`, {
        hint: 'write it by: htpasswd -nB USER',
      });
    }
    users.set(user, hash);
  }
  return users;
}
