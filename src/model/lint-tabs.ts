import type {Problems} from './problems.ts';
import type {SourceFile} from './source.ts';
import type {Tree} from './tree.ts';

/**
 * Tabs that stand where YAML takes them for blanks: they line up differently for everyone who reads the file. Those within
 * texts and comments are their own.
 */
export function warnOfTabs(source: SourceFile, trees: readonly Tree[], problems: Problems): void {
  if (!source.text.includes('\t')) return;
  const texts = trees.flatMap(textsOf).sort((a, b) => a.start - b.start);
  let next = 0;
  let start = 0;
  for (const line of source.text.split('\n')) {
    const end = start + line.length;
    let at = start;
    for (; at < end; at++) {
      while ((texts[next]?.end ?? end) <= at) next += 1;
      const inside = texts[next];
      if (inside !== undefined && inside.start <= at) at = Math.max(at, inside.end - 1);
      else if (source.text[at] === '#') break;
      else if (source.text[at] === '\t') {
        const message = 'a tab stands between the words of this line';
        problems.warning({source, start: at, end: at + 1}, {code: 'tab', message, hint: 'use spaces'});
        break;
      }
    }
    start = end + 1;
  }
}

interface Text {
  readonly start: number;
  readonly end: number;
}

/** Where the texts of a tree stand in its file, keys among them. */
function textsOf(tree: Tree): readonly Text[] {
  if (tree.kind === 'scalar') return [tree.at];
  if (tree.kind === 'sequence') return tree.items.flatMap(textsOf);
  return [...tree.entries.values()].flatMap(({key, value}) => [key, ...textsOf(value)]);
}
