/** Where variables come from, and who is told that one is not set. */
export interface Variables {
  lookup(name: string): string | undefined;
  /** A variable without a value and without a default was used; `offset` is its place in the text. */
  missing(name: string, offset: number): void;
  /** Told of every variable that was put in place, and what was taken for it. */
  readonly used?: (name: string, took: 'value' | 'default' | 'alternative' | 'nothing') => void;
}

/** Templates in templates: far above any real file, far below what the stack of calls can bear. */
const deepest = 100;
/** Characters that one text may grow to. */
const longest = 4 * 1024 * 1024;

export type Substitution =
  | {readonly ok: true; readonly text: string}
  | {
      readonly ok: false;
      readonly reason: 'syntax' | 'required';
      readonly message: string;
      /** What a person can do. */
      readonly hint: string;
      readonly offset: number;
    };

const name = /[_a-z][_a-z0-9]*/iy;
const operator = /:?[-+?]/y;

/**
 * Puts values in place of `$NAME` and `${NAME}`; `$$` is a dollar sign. `-` gives a default, `+` an alternative, `?` a
 * message to fail with; a colon before them counts an empty value as none. What follows the operator may hold variables
 * itself, and is looked at only when it is used. A dollar sign before anything else stays (Compose specification,
 * "Interpolation").
 */
export function substitute(text: string, variables: Variables): Substitution {
  if (!text.includes('$')) return {ok: true, text};
  const run: Run = {variables, failure: undefined, depth: 0};
  const result = expand(text, 0, run);
  return run.failure ?? {ok: true, text: result};
}

type Failure = Exclude<Substitution, {readonly ok: true}>;

interface Run {
  readonly variables: Variables;
  /** The first one; what is expanded after it is of no use. */
  failure: Failure | undefined;
  depth: number;
}

function fail(run: Run, failure: Omit<Failure, 'ok'>): string {
  run.failure ??= {ok: false, ...failure};
  return '';
}

const literally = 'write $$ for a plain dollar sign';

function misspelt(run: Run, failure: Omit<Failure, 'ok' | 'reason'>): string {
  return fail(run, {reason: 'syntax', ...failure});
}

function expand(text: string, base: number, run: Run): string {
  run.depth += 1;
  const result = run.depth > deepest ? tooDeep(base, run) : expandText(text, base, run);
  run.depth -= 1;
  return result;
}

function tooDeep(base: number, run: Run): string {
  return misspelt(run, {
    message: `variables are nested more than ${deepest} levels deep`,
    hint: 'nest them less deep',
    offset: base,
  });
}

function expandText(text: string, base: number, run: Run): string {
  let result = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('$', at);
    if (result.length > longest)
      return misspelt(run, {
        message: `the text grows to more than ${longest} characters`,
        hint: 'use shorter values',
        offset: base,
      });
    if (run.failure !== undefined) return '';
    if (dollar === -1) return result + text.slice(at);
    result += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '$') {
      result += '$';
      at = dollar + 2;
    } else if (next === '{') {
      const end = closingBrace(text, dollar + 1);
      if (end === -1)
        return misspelt(run, {
          message: `"${text.slice(dollar, dollar + 2)}" has no closing "}"`,
          hint: `add a closing }, or ${literally}`,
          offset: base + dollar,
        });
      result += expandBraced(text.slice(dollar + 2, end), base + dollar + 2, run);
      at = end + 1;
    } else {
      const found = matchAt(name, text, dollar + 1);
      result += found === undefined ? '$' : valueOrEmpty(found, base + dollar, run);
      at = dollar + 1 + (found?.length ?? 0);
    }
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function closingBrace(text: string, open: number): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth += 1;
    else if (text[at] === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

function valueOrEmpty(variable: string, offset: number, {variables}: Run): string {
  const value = variables.lookup(variable);
  if (value === undefined) variables.missing(variable, offset);
  variables.used?.(variable, value === undefined ? 'nothing' : 'value');
  return value ?? '';
}

/** What is wrong with `${…}` that does not begin with the name of a variable. */
function notNamed(inner: string): {readonly message: string; readonly hint: string} {
  const word = /^[^:+?}\s-]*/.exec(inner)?.[0] ?? '';
  if (word === '') return {message: `"\${${inner}}" names no variable`, hint: `write \${NAME}, or ${literally}`};
  return {
    message: `"${word}" is not the name of a variable: a name begins with a letter or "_"`,
    hint: `rename the variable, or ${literally}`,
  };
}

function expandBraced(inner: string, base: number, run: Run): string {
  const variable = matchAt(name, inner, 0);
  if (variable === undefined) return misspelt(run, {...notNamed(inner), offset: base - 2});
  if (variable.length === inner.length) return valueOrEmpty(variable, base - 2, run);
  const sign = matchAt(operator, inner, variable.length);
  if (sign === undefined) {
    const rest = inner.slice(variable.length);
    return misspelt(run, {
      message: `"\${${inner}}": "${rest}" is not an operator`,
      hint: `the operators are :- - :+ + :? ?, as in \${${variable}:-default}`,
      offset: base + variable.length,
    });
  }
  const argument = inner.slice(variable.length + sign.length);
  const argumentBase = base + variable.length + sign.length;
  const value = run.variables.lookup(variable);
  const given = value !== undefined && !(sign.startsWith(':') && value === '');
  const {used} = run.variables;
  if (sign.endsWith('+')) {
    used?.(variable, given ? 'alternative' : 'nothing');
    return given ? expand(argument, argumentBase, run) : '';
  }
  if (given) {
    used?.(variable, 'value');
    return value ?? '';
  }
  if (sign.endsWith('-')) used?.(variable, 'default');
  const text = expand(argument, argumentBase, run);
  if (sign.endsWith('-')) return text;
  return fail(run, {
    reason: 'required',
    message: `required variable ${variable} is missing a value${text === '' ? '' : `: ${text}`}`,
    hint: 'set it in .env or in the environment',
    offset: base - 2,
  });
}

/** A variable as a text names it. */
export interface TemplateVariable {
  readonly name: string;
  /** Empty, or an operator: `-`, `:-`, `?`, `:?`, `+`, `:+`. */
  readonly sign: string;
  /** What stands behind the operator, as it is written. */
  readonly argument: string;
}

/** Tells of every variable in a text, also of those in defaults and alternatives; what is no variable is passed over. */
export function readTemplates(text: string, found: (variable: TemplateVariable) => void, depth = 0): void {
  for (let at = text.indexOf('$'); at !== -1; at = text.indexOf('$', at)) {
    const next = text[at + 1];
    const end = next === '{' ? closingBrace(text, at + 1) : -1;
    if (next === '{' && end !== -1 && depth < deepest) {
      readBraced(text.slice(at + 2, end), found, depth);
      at = end + 1;
      continue;
    }
    const plain = next === '$' || next === '{' ? undefined : matchAt(name, text, at + 1);
    if (plain !== undefined) found({name: plain, sign: '', argument: ''});
    at += next === '$' ? 2 : 1 + (plain?.length ?? 0);
  }
}

function readBraced(inner: string, found: (variable: TemplateVariable) => void, depth: number): void {
  const variable = matchAt(name, inner, 0);
  if (variable === undefined) return;
  const sign = matchAt(operator, inner, variable.length) ?? '';
  const argument = inner.slice(variable.length + sign.length);
  if (sign === '' && argument !== '') return;
  found({name: variable, sign, argument});
  readTemplates(argument, found, depth + 1);
}
