import {randomBytes} from 'node:crypto';
import {join} from 'node:path';
import {hasKind} from '../../base/errors.ts';
import {mkdir, rm, rmdir} from '../at-once.ts';
import {buildOfStep, buildsDirectory} from '../container/build-steps.ts';
import {readNames} from '../container/record.ts';
import {removeContainer, sweepUnfinished} from '../container/remove.ts';
import type {BuildContext} from './context.ts';

/** A directory for what one build needs, in memory where the machine has that. Its lock says that the build is under way. */
export async function openRunDirectory(context: BuildContext): Promise<{readonly path: string} & AsyncDisposable> {
  const root = buildsDirectory(context.images.layout);
  const {helper} = context.images;
  const name = randomBytes(6).toString('hex');
  const path = join(root, name);
  await mkdir(root, {recursive: true, mode: 0o700});
  const lock = await helper.lock(`${path}.lock`);
  await mkdir(path, {mode: 0o700});
  return {
    path,
    async [Symbol.asyncDispose]() {
      // Where every step was cached there is nothing in it.
      await rmdir(path).catch(() => helper.request({kind: 'removeTree', root, path: name}));
      await rm(`${path}.lock`, {force: true});
      await lock[Symbol.asyncDispose]();
    },
  };
}

/** Containers and directories of builds that were killed. */
export async function clearDeadBuilds(context: BuildContext): Promise<void> {
  const root = buildsDirectory(context.images.layout);
  const names = await readNames(context.containers.layout.names);
  const builds = new Set([
    ...names.flatMap((name) => buildOfStep(name) ?? []),
    ...(await readNames(root)).map((name) => name.replace(/\.lock$/, '')),
  ]);
  for (const build of builds) {
    await mkdir(root, {recursive: true, mode: 0o700});
    const path = join(root, build);
    const lock = await context.images.helper.tryLock(`${path}.lock`);
    if (lock === undefined) continue;
    // One that was killed while it made a container left only half of it.
    await sweepUnfinished(context.containers);
    for (const name of names.filter((other) => buildOfStep(other) === build)) {
      await removeContainer(context.containers, name, {force: true, volumes: true}).catch((error: unknown) => {
        if (!hasKind(error, 'notFound', 'conflict')) throw error;
      });
    }
    await context.images.helper.request({kind: 'removeTree', root, path: build});
    await rm(`${path}.lock`, {force: true});
    await lock[Symbol.asyncDispose]();
  }
}
