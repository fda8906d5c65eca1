import {spawn} from 'node:child_process';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {TscomposeError} from '../../../src/base/errors.ts';
import {openTestEngine, type TestEngine} from '../../conformance/builtin-engine.ts';
import {imageArchive} from '../../support/test-images.ts';
import {eventsOf, plainBody} from './plain-body.ts';

const secret = 'of the machine';
const directory = mkdtempSync(join(tmpdir(), 'tscompose-moves-'));
const context = join(directory, 'context');
let bed: TestEngine;

beforeAll(async () => {
  bed = await openTestEngine({encode: false});
  for await (const _ of bed.engine.images.load(createReadStream(imageArchive('busybox'))));
  for (const path of ['outside/sub', 'context/d/sub']) mkdirSync(join(directory, path), {recursive: true});
  for (const path of ['outside/file', 'outside/sub/file']) writeFileSync(join(directory, path), secret);
  for (const path of ['context/d/file', 'context/d/sub/file']) writeFileSync(join(directory, path), 'of the context');
  symlinkSync(join(directory, 'outside'), join(context, 'away'));
  symlinkSync('../../../../../../../../etc', join(context, 'up'));
});

afterAll(async () => {
  await bed?.close();
  rmSync(directory, {recursive: true, force: true});
});

/** What the files of the result say; nothing where the build was refused. */
async function contentsOf(text: string): Promise<readonly string[]> {
  const path = mkdtempSync(join(directory, 'out-'));
  const built = eventsOf(bed.engine, plainBody(text, {context, noCache: true, outputs: [{kind: 'local', path}]}));
  const refused = await built.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (refused !== undefined) expect(refused).toBeInstanceOf(TscomposeError);
  const files = readdirSync(path, {recursive: true, withFileTypes: true}).filter((entry) => entry.isFile());
  return files.map(({parentPath, name}) => readFileSync(join(parentPath, name), 'utf8'));
}

test.each(['away', 'away/file', 'up', 'up/passwd', 'd/../away', '../outside'])(
  'a mount of %s shows nothing of the machine',
  async (source) => {
    const mount = `--mount=type=bind,source=${source},target=/m`;
    const found = await contentsOf(
      `FROM busybox AS b\nRUN ${mount} cp -rL /m /out\nFROM scratch\nCOPY --from=b /out /\n`,
    );
    expect(found).toEqual([]);
  },
);

test.each(['/away/../../../../etc/passwd', '/l/etc/passwd', '/l'])(
  'a source %s of a stage with links shows nothing of the machine',
  async (source) => {
    const own = 'RUN rm -r /etc && mkdir /etc && echo own > /etc/passwd && ln -s ../../../.. /l && ln -s / /away';
    const found = await contentsOf(`FROM busybox AS b\n${own}\nFROM scratch\nCOPY --from=b ${source} /out\n`);
    for (const text of found.filter((line) => line.includes('root:'))) expect(text).toBe('');
    expect(found.length === 0 || found.includes('own\n')).toBe(true);
  },
);

test('a directory that becomes a link while it is copied leads nowhere', async () => {
  const swap = 'while :; do mv d x; ln -s ../outside d; rm d; mv x d; done';
  const swapping = spawn('sh', ['-c', swap], {cwd: context, stdio: 'ignore'});
  try {
    const seen: string[] = [];
    for (let round = 0; round < 15; round++) {
      for (const line of ['COPY d /x', 'COPY d/sub/file /x/', 'COPY . /x', 'ADD d/* /x/'])
        seen.push(...(await contentsOf(`FROM scratch\nLABEL round=${round}\n${line}\n`)));
    }
    expect(seen).not.toContain(secret);
    expect(seen).toContain('of the context');
  } finally {
    swapping.kill('SIGKILL');
  }
}, 600_000);
