import {type Document, isScalar, visit, type YAMLError} from 'yaml';
import type {Problems} from '../problems.ts';
import type {SourceFile} from '../source.ts';
import {tooDeep} from './depth.ts';

interface Place {
  readonly source: SourceFile;
  readonly document: Document;
  readonly problems: Problems;
}

/** Tells what the YAML parser does not understand, in words for people who write stack files. */
export function reportSyntax(error: YAMLError, {source, document, problems}: Place): void {
  const [start, end] = error.pos;
  // The parser's own way to say that its stack of calls is full.
  if (error.message.toLowerCase().includes('call stack')) {
    tooDeep({source, start, end: Math.max(end, start + 1)}, problems);
    return;
  }
  const isTab = error.code === 'TAB_AS_INDENT' || /^[ ]*\t/m.test(lineAround(source.text, start));
  const {message, hint} = isTab ? tab : inPlainWords(error);
  // An open quote takes in everything behind it: what is meant is where it begins.
  const quote = /^Missing closing ["']quote/.test(error.message) ? openQuote(document, start) : undefined;
  const at = quote === undefined ? {start, end: Math.max(end, start + 1)} : {start: quote, end: quote + 1};
  problems.error({source, ...at}, {code: 'yaml-syntax', message, hint});
}

const tab = {
  message: 'a tab indents this line, and YAML allows only spaces',
  hint: 'replace the tab by spaces',
};

/** The usual mistakes, by the beginning of what the parser says. */
const mistakes: readonly (readonly [said: string, message: string, hint: string])[] = [
  ['Missing closing "quote', 'a text that begins with " has no closing "', 'put a " behind it'],
  ["Missing closing 'quote", "a text that begins with ' has no closing '", "put a ' behind it"],
  ['Flow map in block', 'a mapping that begins with { has no closing } before this line', 'put a } behind it'],
  ['Flow sequence in block', 'a list that begins with [ has no closing ] before this line', 'put a ] behind it'],
  ['All mapping items must start', 'this line is indented unlike those it belongs to', 'line it up with them'],
  ['All sequence items must start', 'this item is indented unlike those it belongs to', 'line it up with them'],
  [
    'Nested mappings are not allowed',
    'this line has a second colon with a space behind it',
    'put the value into quotes, or begin a new line behind the first colon',
  ],
  ['Implicit keys need to be on a single line', 'a name has no colon behind it', 'write NAME: value'],
  ['Implicit map keys need to be followed', 'a name has no colon behind it', 'write NAME: value'],
];

const otherHints: Readonly<Record<string, string>> = {
  BAD_INDENT: 'line it up with the lines around it, and look for a bracket that is not closed',
  MISSING_CHAR: 'check for a missing quote, bracket or colon',
  BLOCK_AS_IMPLICIT_KEY: 'check for a missing quote, or for a second colon in the line',
  BAD_SCALAR_START: 'put the text into quotes',
  BAD_DQ_ESCAPE: 'use single quotes, or write the backslash twice',
};
const usualHint = 'look at this line and the one before it: a quote, a bracket, a colon or a space may be missing';

function inPlainWords({message, code}: YAMLError): {readonly message: string; readonly hint: string} {
  const known = mistakes.find(([said]) => message.startsWith(said));
  if (known !== undefined) return {message: `not valid YAML: ${known[1]}`, hint: known[2]};
  const lower = message.replace('Plain value', 'a text without quotes').replace(/^./, (first) => first.toLowerCase());
  return {message: `not valid YAML: ${lower}`, hint: otherHints[code] ?? usualHint};
}

/** Where the quoted text begins that goes on to an offset. */
function openQuote(document: Document, offset: number): number | undefined {
  let found: number | undefined;
  visit(document, {
    Scalar: (_key, node) => {
      const [start, end] = node.range ?? [];
      const isQuoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');
      if (isQuoted && start !== undefined && end !== undefined && start < offset && offset <= end) found = start;
    },
  });
  return found;
}

function lineAround(text: string, offset: number): string {
  const start = Math.max(text.lastIndexOf('\n', offset - 1) + 1, offset - 1000);
  const end = text.indexOf('\n', offset);
  return text.slice(start, Math.min(end === -1 ? text.length : end, offset + 1000));
}
