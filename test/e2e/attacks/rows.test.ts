import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {attackRows} from './rows.ts';

const textOf = (file: string): string => readFileSync(join(import.meta.dirname, '../..', file), 'utf8');

/** Whether the file has a test, or a group of tests, of that name: one that is not skipped. */
function has(text: string, name: string): boolean {
  const quoted = ["'", '"', '`'].map((quote) => `${quote}${name}${quote}`);
  return text
    .split(/\b(?=(?:test|describe|it)(?:\.each)?\()/)
    .some((piece) => quoted.some((title) => piece.includes(title)));
}

describe.each(attackRows)('$attack', ({root, user}) => {
  test('is tried against the engine of root', () => {
    expect(root).not.toEqual([]);
    expect(root.filter(([file, name]) => !has(textOf(file), name))).toEqual([]);
  });

  test('is tried against the engine of an ordinary user, or it is said why not', () => {
    if ('cannot' in user) {
      expect(user.cannot).not.toBe('');
      return;
    }
    expect(user).not.toEqual([]);
    expect(user.filter(([file, name]) => !has(textOf(file), name))).toEqual([]);
    // Each of these files has its tests run by such a user.
    const withoutUser = user.filter(([file]) => !/describe\.each\(attackTargets\)|makeUserHost\(/.test(textOf(file)));
    expect(withoutUser).toEqual([]);
  });
});
