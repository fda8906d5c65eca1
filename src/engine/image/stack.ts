import type {Layout} from '../layout.ts';
import type {LayerRecord} from './record.ts';

/**
 * Directories of layers (lowest first) as overlays take them: absolute, top first. The kernel refuses one that is there twice
 * (`ELOOP`), as a layer that changes nothing may be; the upper one says all that the lower one does.
 */
export function stackLayers(layout: Layout, layers: readonly Pick<LayerRecord, 'directory'>[]): readonly string[] {
  const directories = layers.map(({directory}) => layout.images.layer(directory)).reverse();
  return [...new Set(directories)];
}
