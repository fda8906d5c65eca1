import {posix} from 'node:path';
import {hasKind} from '../base/errors.ts';
import {compileIgnore, type IgnoreMatcher} from '../base/ignore.ts';
import {readIgnoreFile} from '../base/ignore-pattern.ts';
import type {Findings} from './source.ts';
import {placeOfWord, type Stages} from './stages.ts';

/** Sources of the context that its ignore file leaves out; what has wildcards or variables may bring others. */
export function checkIgnored({stages}: Stages, ignore: string, findings: Findings): void {
  const rules = rulesOf(ignore);
  if (rules === undefined) return;
  for (const instruction of stages.flatMap((stage) => stage.instructions)) {
    if (instruction.keyword !== 'COPY' && instruction.keyword !== 'ADD') continue;
    if (instruction.keyword === 'COPY' && instruction.from !== undefined) continue;
    for (const source of instruction.sources) {
      if (/[*?[\\$]|^[\w+.-]+:\/\/|^git@/.test(source.text)) continue;
      const path = posix.resolve('/', source.text).slice(1);
      // A directory may have files that are taken back.
      if (!rules.prunes(path)) continue;
      const message = `${instruction.keyword}: the ignore file of the context leaves "${source.text}" out`;
      const hint = 'take it back there with a line that begins with "!", or leave it out here, too';
      findings.warning(placeOfWord(instruction, source), 'copy-ignored-file', message, hint);
    }
  }
}

/** What is wrong in the file itself is told by whoever reads the context. */
function rulesOf(ignore: string): IgnoreMatcher | undefined {
  try {
    return compileIgnore(readIgnoreFile(ignore));
  } catch (error) {
    if (hasKind(error, 'invalid')) return undefined;
    throw error;
  }
}
