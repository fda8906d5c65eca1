import {type CommandInput, type CommandRow, defineCommand} from './command.ts';
import type {CliContext} from './context.ts';
import {type ImageInput, imageFlags, imageSummaries} from './image-flags.ts';

/** As with Docker, most can be called in two ways. */
const names = {
  ls: ['engine images', 'engine image ls'],
  inspect: ['engine image inspect'],
  history: ['engine history', 'engine image history'],
  rm: ['engine rmi', 'engine image rm'],
  prune: ['engine image prune'],
  tag: ['engine tag', 'engine image tag'],
  save: ['engine save', 'engine image save'],
  load: ['engine load', 'engine image load'],
  import: ['engine import', 'engine image import'],
  fsck: ['engine fsck'],
} as const satisfies {readonly [K in keyof typeof imageFlags]: readonly string[]};

/** What Docker calls some of them, too. */
const aliases: {readonly [name: string]: readonly string[]} = {
  'engine image ls': ['list'],
  'engine image rm': ['remove'],
};

type Run<K extends keyof typeof imageFlags> = (context: CliContext, input: ImageInput<K>) => Promise<number>;

function rows<K extends keyof typeof imageFlags>(key: K, run: Run<K>): readonly CommandRow[] {
  return names[key].map((name) =>
    defineCommand({
      name,
      aliases: aliases[name] ?? [],
      ...imageSummaries[key],
      flags: imageFlags[key],
      run: (context, input) => run(context, input as CommandInput<never> as ImageInput<K>),
    }),
  );
}

export const imageCommands: readonly CommandRow[] = [
  ...rows('ls', async (context, input) => (await import('./commands/image-ls.ts')).runImageList(context, input)),
  ...rows('inspect', async (context, input) =>
    (await import('./commands/image-inspect.ts')).runImageInspect(context, input),
  ),
  ...rows('history', async (context, input) =>
    (await import('./commands/image-history.ts')).runImageHistory(context, input),
  ),
  ...rows('rm', async (context, input) => (await import('./commands/image-rm.ts')).runImageRemove(context, input)),
  ...rows('prune', async (context, input) => (await import('./commands/image-prune.ts')).runImagePrune(context, input)),
  ...rows('tag', async (context, input) => (await import('./commands/image-rm.ts')).runImageTag(context, input)),
  ...rows('save', async (context, input) => (await import('./commands/image-save.ts')).runImageSave(context, input)),
  ...rows('load', async (context, input) => (await import('./commands/load.ts')).runImageLoad(context, input)),
  ...rows('import', async (context, input) =>
    (await import('./commands/image-import.ts')).runImageImport(context, input),
  ),
  ...rows('fsck', async (context, input) => (await import('./commands/fsck.ts')).runFsck(context, input)),
];
