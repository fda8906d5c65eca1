/** A word of an action: `{{if eq .Tag "latest"}}`. */
export interface Token {
  readonly kind: 'name' | 'dot' | 'field' | 'variable' | 'value' | 'sign';
  readonly text: string;
  readonly value?: unknown;
  /** Nothing stands between it and the one before: `.A.B` is one term, `.A .B` are two. */
  readonly isClose: boolean;
}

const patterns: readonly (readonly [Token['kind'], RegExp])[] = [
  ['value', /"(?:\\[\s\S]|[^"\\])*"|`[^`]*`|'(?:\\.|[^'\\])+'/y],
  ['value', /[-+]?(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/y],
  ['field', /\.[A-Za-z_]\w*/y],
  ['dot', /\./y],
  ['variable', /\$\w*/y],
  ['name', /[A-Za-z_]\w*/y],
  ['sign', /:=|[=|(),]/y],
];

/** Undefined where it reads like nothing that may stand there. */
export function readTokens(action: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    const from = at;
    while (/\s/.test(action[at] ?? '')) at += 1;
    if (at === action.length) return tokens;
    const found = match(action, at);
    if (found === undefined) return undefined;
    const value = found.kind === 'value' ? literalOf(found.text) : undefined;
    if (found.kind === 'value' && value === undefined) return undefined;
    tokens.push({...found, isClose: from === at && at > 0, ...(value === undefined ? {} : {value})});
    at += found.text.length;
  }
}

function match(action: string, at: number): Pick<Token, 'kind' | 'text'> | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = at;
    const [text] = pattern.exec(action) ?? [];
    if (text !== undefined) return {kind, text};
  }
  return undefined;
}

function literalOf(text: string): string | number | undefined {
  if (text.startsWith('`')) return text.slice(1, -1);
  if (!/^["']/.test(text)) return Number(text);
  const inside = text.slice(1, -1).replace(/[\n\t]/g, (letter) => (letter === '\n' ? '\\n' : '\\t'));
  const plain = text.startsWith("'") ? inside.replace(/\\'/g, "'").replace(/"/g, '\\"') : inside;
  try {
    const value = JSON.parse(`"${plain}"`) as string;
    if (text.startsWith('"')) return value;
    return [...value].length === 1 ? value.codePointAt(0) : undefined;
  } catch {
    return undefined;
  }
}
