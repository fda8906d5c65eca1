import {functionNames} from './functions.ts';
import type {Command, Pipe, TemplateNode, Term} from './nodes.ts';
import {readTokens, type Token} from './tokens.ts';

/** Says what is wrong with a part of the template, and throws. */
export type Refuse = (part: string, reason: string) => never;

export interface ParsedTemplate {
  readonly nodes: readonly TemplateNode[];
  /** Members of what the template is filled with that it names. */
  readonly fields: ReadonlySet<string>;
  readonly hasActions: boolean;
}

const comment = /\{\{-?\s*\/\*[\s\S]*?\*\/\s*-?\}\}/;
const action = /\{\{(?:"(?:\\[\s\S]|[^"\\])*"|`[^`]*`|[^"`])*?\}\}/;
const pieces = new RegExp(`${comment.source}|${action.source}`, 'g');

/** Reads a template of Go. */
export function parseTemplate(text: string, refuse: Refuse): ParsedTemplate {
  const parser = new Parser(split(text, refuse), refuse);
  const {nodes, end} = parser.readList({dotIsRoot: true, isLoop: false});
  if (end !== undefined) refuse(`{{${end}}}`, 'nothing is open that it could belong to');
  return {nodes, fields: parser.fields, hasActions: parser.hasActions};
}

type Piece = {readonly text: string} | {readonly action: string};

/** Texts and actions in turn; a dash at an action's edge takes the blanks beside it away. */
function split(text: string, refuse: Refuse): readonly Piece[] {
  const found: Piece[] = [];
  let from = 0;
  let trims = false;
  const addText = (until: number, trimsEnd: boolean) => {
    const start = trims ? text.slice(from, until).trimStart() : text.slice(from, until);
    const piece = trimsEnd ? start.trimEnd() : start;
    if (piece.includes('{{')) refuse(piece.slice(piece.indexOf('{{')), 'its }} is missing');
    if (piece !== '') found.push({text: piece});
  };
  for (const {index, 0: all} of text.matchAll(pieces)) {
    const inside = all.slice(2, -2);
    const [start, end] = [/^-\s/.test(inside), /\s-$/.test(inside)];
    addText(index, start);
    const words = inside.slice(start ? 1 : 0, end ? -1 : undefined).trim();
    if (!words.startsWith('/*')) found.push({action: words});
    from = index + all.length;
    trims = end;
  }
  addText(text.length, false);
  return found;
}

interface Scope {
  /** Whether `.` is what the template is filled with. */
  readonly dotIsRoot: boolean;
  /** Whether there is a `range` around it. */
  readonly isLoop: boolean;
}

class Parser {
  readonly fields = new Set<string>();
  hasActions = false;
  readonly #pieces: readonly Piece[];
  readonly #refuse: Refuse;
  #at = 0;

  constructor(found: readonly Piece[], refuse: Refuse) {
    this.#pieces = found;
    this.#refuse = (words, reason) => refuse(`{{${words}}}`, reason);
  }

  /** Up to an `end` or `else`, which is answered. */
  readList(scope: Scope): {readonly nodes: readonly TemplateNode[]; readonly end: string | undefined} {
    const nodes: TemplateNode[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at];
      this.#at += 1;
      if (piece === undefined) return {nodes, end: undefined};
      if ('text' in piece) {
        nodes.push({kind: 'text', text: piece.text});
        continue;
      }
      this.hasActions = true;
      const [word = ''] = /^\w+/.exec(piece.action) ?? [];
      if (word === 'end' || word === 'else') return {nodes, end: piece.action};
      nodes.push(this.#readNode(piece.action, word, scope));
    }
  }

  #readNode(words: string, word: string, scope: Scope): TemplateNode {
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        return this.#readBlock(words, word, scope);
      case 'break':
      case 'continue':
        if (!scope.isLoop) this.#refuse(words, 'there is no range around it');
        return {kind: word};
      case 'define':
      case 'template':
      case 'block':
        return this.#refuse(words, 'templates within templates are not there');
      default:
        return {kind: 'print', pipe: this.#readPipe(words, words, scope)};
    }
  }

  #readBlock(words: string, kind: 'if' | 'with' | 'range', scope: Scope): TemplateNode {
    const pipe = this.#readPipe(words, words.slice(kind.length), scope);
    const inner = kind === 'if' ? scope : {dotIsRoot: false, isLoop: scope.isLoop || kind === 'range'};
    const {nodes: then, end} = this.readList(inner);
    if (end === undefined) this.#refuse(words, 'its {{end}} is missing');
    if (end === 'end') return {kind, pipe, then, otherwise: []};
    const [, next] = /^else\s+((?:if|with)\s[\s\S]*)$/.exec(end) ?? [];
    if (next !== undefined) {
      // It shares the end of the first.
      const otherwise = [this.#readNode(next, next.startsWith('if') ? 'if' : 'with', scope)];
      return {kind, pipe, then, otherwise};
    }
    if (end !== 'else') this.#refuse(end, 'it is not understood');
    const {nodes: otherwise, end: last} = this.readList(scope);
    if (last !== 'end') this.#refuse(words, 'its {{end}} is missing');
    return {kind, pipe, then, otherwise};
  }

  #readPipe(words: string, text: string, scope: Scope): Pipe {
    const tokens = readTokens(text) ?? this.#refuse(words, 'it is not understood');
    const reader = new PipeReader(tokens, {
      refuse: (reason) => this.#refuse(words, reason),
      onField: (name) => void this.fields.add(name),
      scope,
    });
    const pipe = reader.readPipe();
    if (reader.rest !== undefined) this.#refuse(words, `"${reader.rest.text}" is not expected there`);
    return pipe;
  }
}

interface PipeContext {
  readonly refuse: (reason: string) => never;
  /** A member of what the template is filled with. */
  readonly onField: (name: string) => void;
  readonly scope: Scope;
}

class PipeReader {
  readonly #tokens: readonly Token[];
  readonly #context: PipeContext;
  #at = 0;

  constructor(tokens: readonly Token[], context: PipeContext) {
    this.#tokens = tokens;
    this.#context = context;
  }

  get rest(): Token | undefined {
    return this.#tokens[this.#at];
  }

  readPipe(): Pipe {
    const {names, isAssigned} = this.#readNames();
    const commands = [this.#readCommand()];
    while (this.#take('|')) commands.push(this.#readCommand());
    const wrong = commands.slice(1).find(({name}) => name === undefined);
    if (wrong !== undefined) this.#context.refuse('behind | stands a function');
    return {names, isAssigned, commands};
  }

  #take(text: string): boolean {
    if (this.rest?.kind !== 'sign' || this.rest.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #readNames(): Pick<Pipe, 'names' | 'isAssigned'> {
    const texts = this.#tokens.slice(this.#at, this.#at + 4).map(({text}) => text);
    const isVariable = (text: string | undefined) => /^\$\w+$/.test(text ?? '');
    const count = isVariable(texts[0]) ? (texts[1] === ',' && isVariable(texts[2]) ? 2 : 1) : 0;
    const sign = count === 2 ? texts[3] : texts[1];
    if (count === 0 || (sign !== ':=' && sign !== '=')) return {names: [], isAssigned: false};
    this.#at += count * 2;
    return {names: [texts[0] ?? '', ...(count === 2 ? [texts[2] ?? ''] : [])], isAssigned: sign === '='};
  }

  #readCommand(): Command {
    const args: Term[] = [];
    let name: string | undefined;
    for (let index = 0; this.rest !== undefined && !/^[|)]$/.test(this.rest.text); index += 1) {
      const called = this.#readFunction();
      if (called === undefined) args.push(this.#readTerm());
      else if (index === 0) name = called;
      // A function without arguments may be one.
      else {
        const pipe = {names: [], isAssigned: false, commands: [{name: called, args: []}]};
        args.push({from: {kind: 'pipe', pipe}, path: []});
      }
    }
    if (name === undefined && args.length === 0) this.#context.refuse('a value is missing');
    if (name === undefined && args.length > 1) this.#context.refuse('only functions take arguments');
    return {name, args};
  }

  #readFunction(): string | undefined {
    const token = this.rest;
    if (token?.kind !== 'name' || /^(?:true|false|nil)$/.test(token.text)) return undefined;
    if (!functionNames.includes(token.text)) {
      this.#context.refuse(`there is no function "${token.text}": there are ${functionNames.join(', ')}`);
    }
    this.#at += 1;
    return token.text;
  }

  #readTerm(): Term {
    const path: string[] = [];
    // A field begins at the dot by itself.
    const beginsWithField = this.rest?.kind === 'field';
    const from: Term['from'] = beginsWithField ? {kind: 'dot'} : this.#readStart();
    while (this.rest?.kind === 'field' && (this.rest.isClose || (beginsWithField && path.length === 0))) {
      path.push(this.rest.text.slice(1));
      this.#at += 1;
    }
    const isRoot =
      (from.kind === 'dot' && this.#context.scope.dotIsRoot) || (from.kind === 'variable' && from.name === '$');
    if (isRoot && path[0] !== undefined) this.#context.onField(path[0]);
    return {from, path};
  }

  #readStart(): Term['from'] {
    const token = this.rest;
    this.#at += 1;
    if (token?.kind === 'dot') return {kind: 'dot'};
    if (token?.kind === 'variable') return {kind: 'variable', name: token.text};
    if (token?.kind === 'value') return {kind: 'value', value: token.value};
    if (token?.kind === 'name') return {kind: 'value', value: token.text === 'nil' ? null : token.text === 'true'};
    if (token?.text !== '(') return this.#context.refuse(`"${token?.text}" is not expected there`);
    const pipe = this.readPipe();
    if (!this.#take(')')) this.#context.refuse('a ")" is missing');
    return {kind: 'pipe', pipe};
  }
}
