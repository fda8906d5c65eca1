/** A template of Go's text/template as it was read (https://pkg.go.dev/text/template). */
export type TemplateNode =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'print'; readonly pipe: Pipe}
  | BlockNode
  | {readonly kind: 'break'}
  | {readonly kind: 'continue'};

export interface BlockNode {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: Pipe;
  readonly then: readonly TemplateNode[];
  readonly otherwise: readonly TemplateNode[];
}

/** `$x := .Field | upper`: each command gets the value of the one before it as its last argument. */
export interface Pipe {
  /** Variables that are set: two only in a `range`, for index and element. */
  readonly names: readonly string[];
  /** They are there already (`=` in place of `:=`). */
  readonly isAssigned: boolean;
  readonly commands: readonly Command[];
}

export interface Command {
  /** The function that is called; without one the only argument is the value. */
  readonly name: string | undefined;
  readonly args: readonly Term[];
}

/** What a value is taken from, and the members that lead to it. */
export interface Term {
  readonly from:
    | {readonly kind: 'dot'}
    | {readonly kind: 'variable'; readonly name: string}
    | {readonly kind: 'value'; readonly value: unknown}
    | {readonly kind: 'pipe'; readonly pipe: Pipe};
  readonly path: readonly string[];
}
