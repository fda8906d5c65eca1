import type {PublishAddress} from '../../api/port-reach.ts';
import type {Now} from '../clock.ts';
import type {Events} from '../events.ts';
import type {Helper} from '../helper/coprocess.ts';
import type {Layout} from '../layout.ts';
import type {MachineFiles} from './machine.ts';
import type {Warning} from './warning.ts';

/** What networks work with. */
export interface NetworkContext {
  readonly layout: Layout;
  readonly helper: Pick<Helper, 'request' | 'lock' | 'tryLock'>;
  readonly events: Pick<Events, 'append'>;
  readonly now: Now;
  readonly publishAddress?: PublishAddress | undefined;
  /** What else is to be told of a network that was made. */
  readonly warn?: ((network: string) => Promise<readonly Warning[]>) | undefined;
  /** The machine's settings; /proc/sys and /etc where not given. */
  readonly files?: MachineFiles | undefined;
}
