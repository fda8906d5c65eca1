import type {UiEffect} from './types.ts';

/** What lies over the screen, and how far it is scrolled. */
export type Overlay =
  | {readonly kind: 'help'; readonly top: number}
  | {readonly kind: 'plan'; readonly top: number}
  /** Lines above the last: 0 follows. */
  | {readonly kind: 'events'; readonly above: number}
  /** The same. */
  | {readonly kind: 'builds'; readonly above: number}
  | {readonly kind: 'why'; readonly service: string; readonly top: number}
  | {readonly kind: 'ports'; readonly service: string; readonly selected: number}
  | {
      readonly kind: 'confirm';
      readonly question: string;
      readonly details: readonly string[];
      readonly effect: UiEffect;
    };
