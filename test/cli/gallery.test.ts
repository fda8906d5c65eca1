import {describe, expect, it} from 'vitest';
import {toTscomposeError} from '../../src/base/errors.ts';
import type {CliContext} from '../../src/cli/context.ts';
import {reportError} from '../../src/cli/report-error.ts';
import {refuseLimits} from '../../src/model/limits.ts';
import {load} from '../model/memory-files.ts';
import {type GalleryCase, gallery} from './gallery/cases.ts';

/** What the program writes to standard error where no colour is wanted. */
function written(error: unknown): string {
  let text = '';
  const stderr = {write: (piece: string) => (text += piece)};
  const context = {stderr, color: () => false, global: {}, env: {}} as unknown as CliContext;
  reportError(context, toTscomposeError(error));
  return text;
}

async function messageOf({files, request = {}, up}: GalleryCase): Promise<string> {
  const named = typeof files === 'string' ? {'compose.yaml': files} : files;
  const absolute = Object.fromEntries(Object.entries(named).map(([name, text]) => [`/stack/${name}`, text]));
  try {
    const {project} = await load(absolute, request);
    if (up) refuseLimits(project, new Set(['files']));
  } catch (error) {
    return written(error);
  }
  throw new Error('nothing was refused');
}

describe('messages, word by word', () => {
  it('are many', () => {
    const count = Object.values(gallery).flatMap((topic) => Object.keys(topic)).length;
    expect(count).toBeGreaterThanOrEqual(100);
  });

  it.each(Object.entries(gallery))('%s', async (topic, cases) => {
    const texts: string[] = [];
    for (const [name, given] of Object.entries(cases)) {
      const text = await messageOf(typeof given === 'string' ? {files: given} : given);
      texts.push(`## ${name}\n\n${text}`);
    }
    for (const text of texts) expect(text).toMatch(/(?:\^|=|hint:) +\S+.*\n/);
    await expect(texts.join('\n')).toMatchFileSnapshot(`gallery/${topic}.txt`);
  });
});
