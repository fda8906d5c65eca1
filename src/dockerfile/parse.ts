import type {Diagnostic} from '../base/diagnostic.ts';
import {didYouMean} from '../base/suggest.ts';
import {readArguments} from './arguments.ts';
import {type Directives, readDirectives} from './directives.ts';
import type {Instruction, Keyword} from './instruction.ts';
import {instructions, keywords} from './instructions/index.ts';
import type {Row} from './instructions/row.ts';
import {type LogicalLine, placeIn} from './logical-line.ts';
import {readLines} from './read-lines.ts';
import {createFindings, type DockerfileSource, type Findings} from './source.ts';

/** A Dockerfile that was read; where something is wrong with it, with what could be read. */
export interface Dockerfile {
  readonly directives: Directives;
  readonly instructions: readonly Instruction[];
  /** Errors and warnings in the order of the file. */
  readonly problems: readonly Diagnostic[];
}

/**
 * Reads a Dockerfile as BuildKit's frontend does (the Dockerfile reference). It never throws: all that is wrong is told at
 * once, each with its place. Variables stay as they are written.
 */
export function parseDockerfile(source: DockerfileSource): Dockerfile {
  const findings = createFindings(source);
  const lines = source.text.replace(/^\uFEFF/, '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const directives = readDirectives(lines, findings);
  const logical = readLines(lines, directives.escape, findings);
  const found = logical.flatMap((line) => readInstruction(line, directives.escape, findings) ?? []);
  if (logical.length === 0) {
    const hint = 'begin with FROM and the image to build on';
    findings.error({line: 1, column: 1, length: 1}, 'no-instructions', 'the Dockerfile has no instructions', hint);
  } else checkStart(found, logical, findings);
  return {directives, instructions: found, problems: inOrder(findings.found)};
}

function readInstruction(line: LogicalLine, escapeToken: string, findings: Findings): Instruction | undefined {
  for (const number of line.blankLines) {
    const message = 'a blank line within an instruction';
    const hint = 'remove it: later versions of the language will end the instruction here';
    findings.warning({line: number, column: 1, length: 1}, 'no-empty-continuation', message, hint);
  }
  const nested = (text: string, at: number): Instruction | undefined => {
    const [written = ''] = /^\S*/.exec(text) ?? [];
    const keyword = keywords.find((known) => known === written.toUpperCase());
    if (keyword === undefined) {
      const hint = didYouMean(written.toUpperCase(), keywords) ?? `instructions are ${keywords.join(', ')}`;
      const place = placeIn(line, at, at + written.length);
      findings.error(place, 'unknown-instruction', `unknown instruction "${written}"`, hint);
      return undefined;
    }
    const row: Row<Keyword> = instructions[keyword];
    const after = {text: text.slice(written.length), at: at + written.length};
    const given = readArguments({...after, line, keyword, escapeToken, kinds: row.flags, findings});
    const said = given === undefined ? undefined : row.read(given, nested);
    return said === undefined ? undefined : ({...said, keyword, written: {text: written, at}, line} as Instruction);
  };
  const start = line.text.length - line.text.trimStart().length;
  return nested(line.text.trim(), start);
}

/** Only ARG comes before the first FROM. */
function checkStart(found: readonly Instruction[], logical: readonly LogicalLine[], findings: Findings): void {
  const first = found.find(({keyword}) => keyword !== 'ARG');
  if (first?.keyword === 'FROM') return;
  const hint = 'begin with FROM and the image to build on';
  if (first !== undefined) {
    const {line, written} = first;
    const place = placeIn(line, written.at, written.at + written.text.length);
    findings.error(place, 'no-stage', `${first.keyword} comes before the first FROM`, hint);
  } else if (found.length === logical.length) {
    findings.error({line: 1, column: 1, length: 1}, 'no-stage', 'the Dockerfile has no FROM', hint);
  }
}

function inOrder(found: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...found].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
