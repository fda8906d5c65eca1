import {TscomposeError} from '../base/errors.ts';

/** What lets go of a terminal unless other keys are asked for. */
export const defaultDetachKeys = 'ctrl-p,ctrl-q';

/** Control keys are the codes 0 to 31 (ASCII): Ctrl-@ is 0, Ctrl-A is 1. */
const controls = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/** Bytes of keys such as `ctrl-p,ctrl-q` or `ctrl-x,d`: single characters and `ctrl-` with one. Throws `invalid`. */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from(
    text.split(',').map((key) => {
      const control = /^ctrl-(.)$/.exec(key)?.[1];
      const code = control === undefined ? key.charCodeAt(0) : controls.indexOf(control);
      if (code < 0 || code > 127 || (control === undefined && key.length !== 1)) {
        throw new TscomposeError('invalid', `invalid detach keys "${text}": "${key}" is not a key`, {
          hint: 'name characters and ctrl-a to ctrl-z, ctrl-@, ctrl-[, ctrl-\\, ctrl-], ctrl-^ or ctrl-_, separated by commas',
        });
      }
      return code;
    }),
  );
}

/** Looks for keys in what is typed, across pieces. Their beginning is held back until it is known whether they go on. */
export interface KeyWatch {
  /** What may be passed on; `found` once the keys were typed: nothing of what follows is meant for the process. */
  pass(data: Uint8Array): {readonly data: Uint8Array; readonly found: boolean};
}

export function watchKeys(keys: Uint8Array): KeyWatch {
  let held: readonly number[] = [];
  return {
    pass(data) {
      const passed: number[] = [];
      for (const byte of data) {
        held = [...held, byte];
        while (held.some((one, index) => one !== keys[index])) {
          passed.push(held[0] ?? 0);
          held = held.slice(1);
        }
        if (held.length === keys.length) return {data: Uint8Array.from(passed), found: true};
      }
      return {data: Uint8Array.from(passed), found: false};
    },
  };
}
