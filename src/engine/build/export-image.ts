import {familiarReference} from '../image/reference.ts';
import type {BuildWork} from './context.ts';
import type {Snapshot} from './snapshot.ts';

export interface ExportedImage {
  readonly snapshot: Snapshot;
  /** The configuration. */
  readonly text: string;
  /** Normalised. */
  readonly references: readonly string[];
}

/** Makes an image of what was built; its layers are where they are. Answers its id. */
export async function exportImage({images, session}: BuildWork, image: ExportedImage): Promise<string> {
  const {digest} = await session.addBlob(Buffer.from(image.text));
  const names = image.references.map((reference) => ({reference}));
  const {id} = await session.addImage({configuration: digest, layers: image.snapshot, names});
  for (const reference of image.references) {
    await images.events.append({type: 'image', action: 'tag', id, attributes: {name: familiarReference(reference)}});
  }
  return id;
}
