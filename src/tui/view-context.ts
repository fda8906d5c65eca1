import type {Glyphs} from './glyphs.ts';
import type {LogReader} from './log-store.ts';
import type {UiState, ViewOptions} from './types.ts';

/** What every part of the screen is drawn from. */
export interface ViewContext extends ViewOptions {
  readonly state: UiState;
  readonly logs: LogReader;
  readonly glyphs: Glyphs;
}
