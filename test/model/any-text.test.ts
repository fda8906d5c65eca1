import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {renderDiagnostics} from '../../src/base/diagnostic.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import {lowerService} from '../../src/model/lower.ts';
import {renderProject} from '../../src/model/render.ts';
import {load} from './memory-files.ts';

const corpus = new URL('./corpus', import.meta.url).pathname;
const texts = readdirSync(corpus)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => readFileSync(join(corpus, file), 'utf8'));

/** Loads, and carries what loads through to the end; what does not load is told as a person's mistake with places. */
async function survives(text: string): Promise<void> {
  try {
    const {project} = await load(text);
    renderProject(project, 'yaml');
    for (const service of Object.keys(project.services)) {
      lowerService({project, service, replica: 1, features: new Set(['files']), version: '0'});
    }
  } catch (error) {
    if (!(error instanceof TscomposeError)) throw error;
    expect(['invalid', 'unsupported', 'notFound']).toContain(error.kind);
    expect(error.message).not.toMatch(/undefined|\[object/);
    const rendered = renderDiagnostics(error.diagnostics);
    expect(rendered).not.toMatch(/\[object/);
    for (const {line, excerpt, column = 1} of error.diagnostics) {
      if (line !== undefined) expect(excerpt?.length ?? 0).toBeGreaterThanOrEqual(column - 1);
    }
  }
}

describe('any text', () => {
  const pieces = [
    'null',
    '{}',
    '[]',
    '[x]',
    '{a: b}',
    '-1',
    '0',
    'true',
    '""',
    '"${A"',
    '$',
    '!reset null',
    '*x',
    '&x',
    ':',
    '- ',
    '\n',
    '\t',
    '  ',
    'é',
    '::',
    '1e400',
    '.nan',
    '<<: ',
    '#',
  ];

  it('that was a stack file before a piece was put into it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...texts),
        fc.double({min: 0, max: 1, noNaN: true}),
        fc.constantFrom(...pieces),
        fc.nat({max: 12}),
        async (text, where, piece, cut) => {
          const at = Math.floor(where * text.length);
          await survives(text.slice(0, at) + piece + text.slice(at + cut));
        },
      ),
      {numRuns: 300},
    );
  });

  it('in which a value became another one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...texts), fc.nat(), fc.constantFrom(...pieces), async (text, pick, piece) => {
        const values = [...text.matchAll(/(?<=[:,[] )[^\s,{}[\]]+/g)];
        const match = values[pick % Math.max(1, values.length)];
        if (match === undefined) return;
        await survives(text.slice(0, match.index) + piece + text.slice(match.index + match[0].length));
      }),
      {numRuns: 300},
    );
  });

  it('of any kind', async () => {
    await fc.assert(fc.asyncProperty(fc.string({unit: 'binary', maxLength: 60}), survives), {numRuns: 300});
  });
});
