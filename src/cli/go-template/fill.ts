import {printableText} from '../../base/printable.ts';
import {callFunction, isTrue} from './functions.ts';
import {memberOf} from './member.ts';
import type {BlockNode, Command, Pipe, TemplateNode, Term} from './nodes.ts';
import {printTerm, printValue} from './print.ts';

export interface FillOptions {
  /** What is filled in are titles of columns: functions that change texts leave them alone. */
  readonly forTitles?: boolean;
  /** What values say goes to a terminal: nothing in them moves the cursor, or does more. */
  readonly forTerminal?: boolean;
}

/** Fills a template in. Throws an error whose message says why that is not possible. */
export function fillNodes(nodes: readonly TemplateNode[], root: unknown, options: FillOptions = {}): string {
  const filling = new Filling(options);
  filling.runAll(nodes, {dot: root, variables: new Map([['$', {value: root}]])});
  return filling.text;
}

interface Scope {
  readonly dot: unknown;
  /** Boxes: an inner scope may set what an outer one has. */
  readonly variables: ReadonlyMap<string, {value: unknown}>;
}

class Filling {
  text = '';
  readonly #forTitles: boolean;
  readonly #forTerminal: boolean;

  constructor({forTitles = false, forTerminal = false}: FillOptions) {
    this.#forTitles = forTitles;
    this.#forTerminal = forTerminal;
  }

  /** Answers whether a `break` or `continue` ended it. */
  runAll(nodes: readonly TemplateNode[], outer: Scope): 'break' | 'continue' | undefined {
    let scope = outer;
    for (const node of nodes) {
      if (node.kind === 'text') this.text += node.text;
      else if (node.kind === 'break' || node.kind === 'continue') return node.kind;
      else if (node.kind === 'print') {
        const value = this.#valueOf(node.pipe, scope);
        scope = keep(node.pipe, value, scope);
        if (node.pipe.names.length === 0) this.#print(node.pipe, value);
      } else {
        const ended = node.kind === 'range' ? this.#runRange(node, scope) : this.#runBranch(node, scope);
        if (ended !== undefined) return ended;
      }
    }
    return undefined;
  }

  #print({commands: [only, ...others]}: Pipe, value: unknown): void {
    const term = only?.name === undefined && others.length === 0 ? only?.args[0] : undefined;
    const text = term === undefined ? printValue(value) : printTerm(term, value);
    this.text += this.#forTerminal ? printableText(text) : text;
  }

  #runBranch(node: BlockNode, scope: Scope): 'break' | 'continue' | undefined {
    const value = this.#valueOf(node.pipe, scope);
    const inner = keep(node.pipe, value, scope);
    if (!isTrue(value)) return this.runAll(node.otherwise, inner);
    return this.runAll(node.then, node.kind === 'with' ? {...inner, dot: value} : inner);
  }

  #runRange(node: BlockNode, scope: Scope): undefined {
    const value = this.#valueOf(node.pipe, scope);
    const elements = elementsOf(value);
    if (elements.length === 0) this.runAll(node.otherwise, scope);
    const [first = '', second] = node.pipe.names;
    for (const [key, dot] of elements) {
      const given: [string, {value: unknown}][] =
        second === undefined
          ? [[first, {value: dot}]]
          : [
              [first, {value: key}],
              [second, {value: dot}],
            ];
      if (this.runAll(node.then, {dot, variables: new Map([...scope.variables, ...given])}) === 'break') break;
    }
    return undefined;
  }

  #valueOf({commands}: Pipe, scope: Scope): unknown {
    let value: unknown;
    for (const [index, command] of commands.entries()) {
      value = this.#run(command, scope, index === 0 ? [] : [value]);
    }
    return value;
  }

  #run({name, args}: Command, scope: Scope, last: readonly unknown[]): unknown {
    // As in Go, these ask for no more than they need.
    if (name === 'and' || name === 'or') return this.#runLazily(name, args, {scope, last});
    const values = [...args.map((term) => this.#termValue(term, scope)), ...last];
    return name === undefined ? values[0] : callFunction(name, values, this.#forTitles);
  }

  #runLazily(
    name: 'and' | 'or',
    args: readonly Term[],
    {scope, last}: {readonly scope: Scope; readonly last: readonly unknown[]},
  ): unknown {
    let value: unknown;
    for (const term of args) {
      value = this.#termValue(term, scope);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return last.length === 0 ? value : last[0];
  }

  #termValue({from, path}: Term, scope: Scope): unknown {
    return path.reduce((value, name, index) => memberOf(value, name, path[index - 1]), this.#startOf(from, scope));
  }

  #startOf(from: Term['from'], scope: Scope): unknown {
    switch (from.kind) {
      case 'dot':
        return scope.dot;
      case 'value':
        return from.value;
      case 'pipe':
        return this.#valueOf(from.pipe, scope);
      case 'variable': {
        const variable = scope.variables.get(from.name);
        if (variable === undefined) throw new Error(`there is no variable "${from.name}"`);
        return variable.value;
      }
    }
  }
}

function keep({names: [name], isAssigned}: Pipe, value: unknown, scope: Scope): Scope {
  if (name === undefined) return scope;
  if (!isAssigned) return {...scope, variables: new Map([...scope.variables, [name, {value}]])};
  const variable = scope.variables.get(name);
  if (variable === undefined) throw new Error(`there is no variable "${name}"`);
  variable.value = value;
  return scope;
}

/** Of an object in the order of its keys, as in Go. */
function elementsOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return [...value.entries()];
  if (typeof value === 'number') return Array.from({length: Math.max(0, value)}, (_, index) => [index, index]);
  if (typeof value !== 'object') throw new Error('range needs a list, an object or a number');
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
