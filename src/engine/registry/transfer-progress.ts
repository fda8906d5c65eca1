import type {ImageProgress} from '../../api/types/image.ts';
import type {Channel} from '../image/channel.ts';

/** How one blob comes along, in the words of Docker's progress stream. */
export interface TransferProgress {
  say(status: string): void;
  /** So many bytes of the whole: told a few times a second at most. */
  at(status: string, current: number, total: number): void;
}

const intervalMs = 100;

/** 12 digits of a digest, as progress names a layer. */
export function shortDigest(digest: string): string {
  return digest.slice('sha256:'.length, 'sha256:'.length + 12);
}

export function transferProgress(channel: Channel<ImageProgress>, id: string, now: () => number): TransferProgress {
  let lastMs = Number.NEGATIVE_INFINITY;
  let lastStatus = '';
  return {
    say(status) {
      lastStatus = status;
      channel.push({status, progressDetail: {}, id});
    },
    at(status, current, total) {
      const nowMs = now();
      if (status === lastStatus && nowMs - lastMs < intervalMs && current < total) return;
      lastMs = nowMs;
      lastStatus = status;
      channel.push({status, progressDetail: {current, total}, id});
    },
  };
}
