import {setFlagsFromString} from 'node:v8';

/**
 * Looking at a large tree makes much garbage between values that stay, and V8 answers by growing the space for new values
 * to 32 MB, which it does not give back. Kept small, it is emptied more often: a tree of 20,000 files takes 75 MB in place
 * of 105, and a look at all of it no longer than before.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
