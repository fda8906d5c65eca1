import {TscomposeError} from '../../base/errors.ts';
import type {Tree} from '../tree.ts';
import {type Assembly, absolutePath, type Document, type Scope, withVariables} from './assembly.ts';
import {expandFile} from './expand.ts';
import {applyExtends} from './extends.ts';
import {applyIncludes} from './include.ts';
import {layer} from './merge.ts';

/**
 * Makes one tree of documents: each is interpolated and expanded, takes in what it includes, its services take over what
 * they extend, and then it is laid over the documents before it. Includes come first, so that a service can extend an
 * included one, and what a document says of an included resource wins over the include.
 */
export async function assemble(documents: readonly Document[], scope: Scope, assembly: Assembly): Promise<Tree> {
  const interpolated = documents.map((document) => ({
    ...document,
    tree: withVariables(document.tree, scope, assembly),
  }));
  // A text with a variable that could not be put in place is wrong in other ways too: that would only distract.
  assembly.problems.throwIfAny();
  let result: Tree | undefined;
  for (const document of interpolated) {
    const absolute = (path: string): string => absolutePath(path, scope, assembly);
    const place = {problems: assembly.problems, absolute};
    const expanded = expandFile(document.tree, place, !assembly.interpolation);
    const whole = await applyIncludes({...document, tree: expanded}, scope, {...assembly, assemble});
    const extended = await applyExtends({...document, tree: whole}, scope, assembly);
    result = result === undefined ? extended : layer(result, extended);
  }
  if (result === undefined) throw new TscomposeError('invalid', 'there is no stack file');
  return result;
}
