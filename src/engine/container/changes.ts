import type {ChangeKind, ContainerChange} from '../../api/types/archive.ts';
import {explainFiles} from './archive.ts';
import type {ContainerContext} from './context.ts';
import {openContainerFiles} from './in-container-files.ts';
import {machineryPaths} from './root-plan.ts';

const kinds: Readonly<Record<string, ChangeKind>> = {C: 0, A: 1, D: 2};

/** How a container's root file system differs from its image, by path: parents come before what is in them. */
export async function containerChanges(
  context: ContainerContext,
  reference: string,
  signal?: AbortSignal,
): Promise<readonly ContainerChange[]> {
  try {
    const {output} = await openContainerFiles(
      context,
      reference,
      async (place, {id, record}) => ({
        kind: 'fileChanges',
        ...place,
        upper: context.layout.container(id).upper,
        ignored: machineryPaths.length,
        paths: [...machineryPaths, ...(await context.images.root(record.image)).lowers],
      }),
      {signal},
    );
    const pieces: Uint8Array[] = [];
    for await (const piece of output) pieces.push(piece);
    return parseChanges(Buffer.concat(pieces).toString('utf8'));
  } catch (error) {
    throw explainFiles(error, `cannot compare container "${reference}" with its image`);
  }
}

function parseChanges(text: string): readonly ContainerChange[] {
  return text
    .split('\0')
    .flatMap((line): readonly ContainerChange[] => {
      const Kind = kinds[line.slice(0, 1)];
      return Kind === undefined ? [] : [{Path: line.slice(1), Kind}];
    })
    .sort((a, b) => (a.Path < b.Path ? -1 : a.Path > b.Path ? 1 : 0));
}
