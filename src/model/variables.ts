import type {FileSource} from '../base/file-source.ts';
import {type LoadRequest, loadTree} from './load.ts';
import {createProblems} from './problems.ts';
import {readTemplates, type TemplateVariable} from './stages/template.ts';
import type {Tree} from './tree.ts';

/** A variable that stack files use: what it is without a value, and whether it must have one. */
export interface StackVariable {
  readonly name: string;
  readonly required: boolean;
  readonly defaultValue: string;
  readonly alternative: string;
}

/** The variables that the files of a stack use, also those of files that they include and extend. */
export async function loadVariables(request: LoadRequest, source: FileSource): Promise<readonly StackVariable[]> {
  const problems = createProblems();
  const {tree} = await loadTree({...request, skip: {...request.skip, interpolation: true}}, source, problems);
  return stackVariables([tree]);
}

/** The variables in the texts of trees, by name; used several times, the first default and alternative count. */
function stackVariables(trees: Iterable<Tree>): readonly StackVariable[] {
  const found = new Map<string, StackVariable>();
  const add = ({name, sign, argument}: TemplateVariable): void => {
    const known = found.get(name);
    const defaultValue = sign.endsWith('-') ? argument : '';
    const alternative = sign.endsWith('+') ? argument : '';
    found.set(name, {
      name,
      required: known?.required === true || sign.endsWith('?'),
      defaultValue: known === undefined || known.defaultValue === '' ? defaultValue : known.defaultValue,
      alternative: known === undefined || known.alternative === '' ? alternative : known.alternative,
    });
  };
  for (const tree of trees) eachText(tree, (text) => readTemplates(text, add));
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function eachText(tree: Tree, visit: (text: string) => void): void {
  if (tree.kind === 'scalar') {
    if (typeof tree.value === 'string' && tree.value.includes('$')) visit(tree.value);
  } else if (tree.kind === 'sequence') for (const item of tree.items) eachText(item, visit);
  else for (const {value} of tree.entries.values()) eachText(value, visit);
}
