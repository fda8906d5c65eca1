import type {Instruction} from './instruction.ts';
import type {Findings} from './source.ts';
import {placeOfWord, type Stages} from './stages.ts';

/** What stands above is for whoever reads the file, and describes nothing. */
const directive = /^(?:syntax|escape|check)\s*=/i;

/**
 * Comments directly above an ARG or a stage that do not begin with its name: `outline.ts` tells what those say that do. Only
 * where the file asks for it (`# check=experimental=InvalidDefinitionDescription`), since most comments mean nothing of the kind.
 */
export function checkDescriptions({globals, stages}: Stages, findings: Findings): void {
  for (const instruction of [...globals, ...stages.flatMap(({from, instructions}) => [from, ...instructions])]) {
    const names = describedBy(instruction);
    const said = instruction.line.comments.at(-1) ?? '';
    if (names.length === 0 || said === '' || directive.test(said)) continue;
    if (names.includes(said.split(/\s+/)[0] ?? '')) continue;
    const place = placeOfWord(instruction, instruction.written);
    const message = 'the comment above does not begin with the name of what it describes';
    const hint = `write "# ${names.length === 1 ? names[0] : '<name>'} what it is for", or leave a blank line between them`;
    findings.warning(place, 'invalid-definition-description', message, hint);
  }
}

function describedBy(instruction: Instruction): readonly string[] {
  if (instruction.keyword === 'ARG') return instruction.arguments.map(({name}) => name.text);
  if (instruction.keyword === 'FROM' && instruction.stage !== undefined) return [instruction.stage.text];
  return [];
}
