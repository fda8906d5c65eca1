import {pack} from 'tar-stream';
import {expect, test} from 'vitest';
import type {BuildProgress} from '../../src/api/types/build.ts';
import {hasKind} from '../../src/base/errors.ts';
import {describeTargets, type Target} from './targets.ts';

/** A context as clients send it. */
function contextOf(files: Readonly<Record<string, string>>): AsyncIterable<Uint8Array> {
  const tar = pack();
  for (const [name, text] of Object.entries(files)) tar.entry({name}, text);
  tar.finalize();
  return tar as unknown as AsyncIterable<Uint8Array>;
}

async function build(
  {docker, name}: Target,
  files: Readonly<Record<string, string>>,
  options: Parameters<Target['docker']['buildImage']>[1] = {},
): Promise<{readonly id: string; readonly text: string}> {
  const t = [name('built').toLowerCase()];
  const lines: readonly BuildProgress[] = await docker.followProgress(
    await docker.buildImage(contextOf(files), {t, ...options}),
  );
  const text = lines.map(({stream = ''}) => stream).join('');
  return {id: lines.find(({aux}) => aux !== undefined)?.aux?.ID ?? '', text};
}

describeTargets('builds of archives', (target) => {
  test('an image is built, tagged and run', async () => {
    const Dockerfile = `FROM ${target.image}\nARG WORD=none\nCOPY a /x/\nRUN echo $WORD > /word\nCMD ["cat", "/x/a", "/word"]\n`;
    const {id, text} = await build(
      target,
      {Dockerfile, a: 'hello\n'},
      {buildargs: '{"WORD":"given"}', labels: JSON.stringify({[target.label]: '1'})},
    );
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(text).toContain(`Successfully built ${id.slice(7, 19)}\n`);
    const image = target.docker.getImage(target.name('built').toLowerCase());
    const {Id, Config} = await image.inspect();
    expect(Id).toBe(id);
    expect(Config?.Cmd).toEqual(['cat', '/x/a', '/word']);
    expect(Config?.Labels).toMatchObject({[target.label]: '1'});
    await image.remove({force: true});
  });

  test('a Dockerfile of another name; what is ignored was left out by the client', async () => {
    const dockerfile = `FROM ${target.image}\nCOPY . /x\nRUN test -e /x/a && test -e /x/b\n`;
    const files = {'deep/file': dockerfile, '.dockerignore': 'b\n', a: '1', b: '2'};
    const {id} = await build(target, files, {dockerfile: 'deep/file'});
    expect(id).not.toBe('');
    await target.docker.getImage(id).remove({force: true});
  });

  test('quietly, only the id is told', async () => {
    const {text} = await build(target, {Dockerfile: `FROM ${target.image}\nENV A=1\n`}, {q: true});
    expect(text).toMatch(/^sha256:[0-9a-f]{64}\n$/);
    await target.docker.getImage(text.trim()).remove({force: true});
  });

  test('with a cache of an image that is in no registry it is built all the same', async () => {
    const cachefrom = JSON.stringify(['127.0.0.1:1/none:1']);
    const {id} = await build(target, {Dockerfile: `FROM ${target.image}\nENV A=1\n`}, {cachefrom});
    expect(id).not.toBe('');
    await target.docker.getImage(id).remove({force: true});
  });

  test('a step that fails fails the build', async () => {
    const failing = build(target, {Dockerfile: `FROM ${target.image}\nRUN exit 3\n`});
    await expect(failing).rejects.toThrow(/(?:non-zero code|exit code): 3/);
  });

  test('an archive without a Dockerfile is refused', async () => {
    const error = await build(target, {a: '1'}).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(Error);
    expect(hasKind(error, 'notFound', 'invalid', 'internal')).toBe(true);
  });
});
