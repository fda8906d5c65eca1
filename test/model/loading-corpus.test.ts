import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {renderDiagnostics} from '../../src/base/diagnostic.ts';
import {TscomposeError} from '../../src/base/errors.ts';
import {loadProject} from '../../src/model/load.ts';
import {renderProject} from '../../src/model/render.ts';
import type {Difference} from './config-differences.ts';
import {type LoadingCase, readCase} from './loading-case.mjs';
import {loadingDifferences} from './loading-differences.ts';
import {memoryFiles} from './memory-files.ts';

interface Answer {
  readonly exitCode: number;
  readonly json?: unknown;
  readonly yaml?: string;
  readonly message?: string;
}

const corpus = join(import.meta.dirname, 'loading');
const recorded = JSON.parse(readFileSync(join(import.meta.dirname, '../recorded/loading.json'), 'utf8')) as {
  readonly answers: Readonly<Record<string, Answer>>;
};
const names = readdirSync(corpus).map((file) => file.replace(/\.case$/, ''));

function flag(words: readonly string[], ...flags: readonly string[]): readonly string[] {
  return words.filter((_, index) => flags.includes(words[index - 1] ?? ''));
}

async function load(stack: LoadingCase): Promise<{readonly json: unknown; readonly yaml: string} | TscomposeError> {
  const files = Object.fromEntries(Object.entries(stack.files).map(([path, text]) => [`/stack/${path}`, text]));
  const given = stack.arguments;
  try {
    const {project} = await loadProject(
      {
        files: flag(given, '-f'),
        environmentFiles: flag(given, '--env-file'),
        profiles: flag(given, '--profile'),
        projectDirectory: flag(given, '--project-directory')[0],
        projectName: flag(given, '-p')[0],
        allResources: given.includes('--all-resources'),
        services: stack.config,
        workingDirectory: stack.directory === '.' ? '/stack' : `/stack/${stack.directory}`,
        environment: {HOME: '/home/someone', ...stack.environment},
      },
      memoryFiles({...files, '/dev/null': ''}, stack.input === undefined ? '' : stack.files[stack.input]),
    );
    return {json: JSON.parse(renderProject(project, 'json')), yaml: renderProject(project, 'yaml')};
  } catch (error) {
    if (error instanceof TscomposeError) return error;
    throw error;
  }
}

describe('loading beside Compose', () => {
  it('has an answer of Compose for every case, and none too many', () => {
    expect(names.length).toBeGreaterThanOrEqual(250);
    expect(Object.keys(recorded.answers).sort()).toEqual([...names].sort());
    for (const name of Object.keys(loadingDifferences)) expect(names).toContain(name);
  });

  for (const name of names) {
    const difference = loadingDifferences[name];
    it(difference === undefined ? name : `${name} differs: ${difference.why}`, async () => {
      const theirs = recorded.answers[name];
      const ours = await load(readCase(readFileSync(join(corpus, `${name}.case`), 'utf8')));
      if (ours instanceof TscomposeError) expect(ours.diagnostics.length > 0 || ours.message !== '').toBe(true);
      if (difference !== undefined) {
        expectDifference(ours, theirs, difference.ours);
      } else if (theirs?.exitCode !== 0) {
        expect(ours instanceof TscomposeError, `Compose refuses it: ${theirs?.message}`).toBe(true);
      } else {
        if (ours instanceof TscomposeError)
          throw new Error(`Compose accepts it: ${ours.message}\n${renderDiagnostics(ours.diagnostics)}`);
        expect(ours.json).toEqual(theirs.json);
        expect(ours.yaml.trimEnd()).toBe(theirs.yaml?.trimEnd());
      }
    });
  }
});

function expectDifference(
  ours: {readonly json: unknown; readonly yaml: string} | TscomposeError,
  theirs: Answer | undefined,
  expected: Difference['ours'],
): void {
  const refused = ours instanceof TscomposeError;
  if (expected === 'refuses') expect([refused, theirs?.exitCode]).toEqual([true, 0]);
  else if (expected === 'accepts') expect([refused, theirs?.exitCode === 0]).toEqual([false, false]);
  else {
    if (refused) throw ours;
    if (expected === 'json') {
      expect(ours.json).not.toEqual(theirs?.json);
      expect(ours.yaml.trimEnd()).toBe(theirs?.yaml?.trimEnd());
      return;
    }
    for (const [before, after] of expected) {
      expect(theirs?.yaml).toContain(before);
      expect(ours.yaml).toContain(after);
      expect(ours.yaml).not.toBe(theirs?.yaml);
    }
  }
}
