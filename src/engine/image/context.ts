import type {Now} from '../clock.ts';
import type {Events} from '../events.ts';
import type {Helper} from '../helper/coprocess.ts';
import type {Layout} from '../layout.ts';

/** A container that was made from an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

/** What the image store works with. */
export interface ImageContext {
  readonly layout: Layout;
  readonly helper: Helper;
  readonly events: Pick<Events, 'append'>;
  readonly now: Now;
  /** The containers that use an image. */
  readonly users: (imageId: string) => Promise<readonly ImageUser[]>;
  /** The running Node's program: it becomes `/usr/local/bin/node` in the built-in image where it lives outside `/usr`. */
  readonly nodePath: string;
  /** As Node names it (`process.arch`). */
  readonly architecture: string;
  /** Layers unpacked at the same time. */
  readonly concurrency: number;
}
