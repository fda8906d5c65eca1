import {spawn} from 'node:child_process';
import type {CliContext} from '../context.ts';

/** Opens a page in the browser of whoever sits here. False where there is no display, or nothing that opens pages. */
export async function openUrl({env}: CliContext, url: string): Promise<boolean> {
  if ((env['DISPLAY'] ?? '') === '' && (env['WAYLAND_DISPLAY'] ?? '') === '') return false;
  return new Promise((resolve) => {
    const child = spawn('xdg-open', [url], {stdio: 'ignore', detached: true});
    child.on('error', () => resolve(false));
    child.on('spawn', () => {
      child.unref();
      resolve(true);
    });
  });
}
