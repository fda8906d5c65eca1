import {type Document, isMap, isScalar, isSeq, visit, type YAMLError, type YAMLMap, type YAMLSeq} from 'yaml';
import type {Problems} from '../problems.ts';
import type {SourceFile} from '../source.ts';
import {tooDeep} from './depth.ts';

type Collection = YAMLMap | YAMLSeq;

/** What a person reads of an error. */
interface Mistake {
  readonly message: string;
  readonly hint: string;
  /** Where it is, if not where the parser met it. */
  readonly place?: number | undefined;
}

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
  const {message, hint, place}: Mistake = isTab
    ? tab
    : (indentation(error, {text: source.text, document}) ?? {...inPlainWords(error), place: opening(error, document)});
  const at = place === undefined ? {start, end: Math.max(end, start + 1)} : {start: place, end: place + 1};
  problems.error({source, ...at}, {code: 'yaml-syntax', message, hint});
}

/** What is open takes in everything after it: what is meant is where it begins. */
function opening({message, pos: [offset]}: YAMLError, document: Document): number | undefined {
  if (/^Missing closing ["']quote/.test(message)) return openQuote(document, offset);
  if (message.startsWith('Flow map in block')) return lastCollection(document, offset, isFlowMap);
  return message.startsWith('Flow sequence in block') ? lastCollection(document, offset, isFlowSequence) : undefined;
}

const isFlowMap = (node: Collection): boolean => isMap(node) && node.flow === true;
const isFlowSequence = (node: Collection): boolean => isSeq(node) && node.flow === true;
const isBlockMap = (node: Collection): boolean => isMap(node) && node.flow !== true;

/** Where the innermost collection of a kind begins that ends at an offset. */
function lastCollection(
  document: Document,
  offset: number,
  isMeant: (node: Collection) => boolean,
): number | undefined {
  let found: number | undefined;
  visit(document, {
    Collection: (_key, node) => {
      const [start, , end] = (node as Collection).range ?? [];
      if (start !== undefined && end !== undefined && start < offset && offset <= end && isMeant(node as Collection))
        found = Math.max(found ?? 0, start);
    },
  });
  return found;
}

/** A line that is indented unlike the ones above it, which a mapping of them tells. */
function indentation(error: YAMLError, {text, document}: SyntaxText): Mistake | undefined {
  const [offset] = error.pos;
  const line = misplacedLine(error, {text, document});
  const above = line === undefined ? undefined : lastCollection(document, offset, isBlockMap);
  if (line === undefined || above === undefined) return undefined;
  const wanted = above - (text.lastIndexOf('\n', above - 1) + 1);
  const indented = /^ */.exec(text.slice(line))?.[0].length ?? 0;
  if (wanted === indented) return undefined;
  return {
    message: `not valid YAML: this line is indented by ${spaces(indented)}, the lines above it by ${wanted}`,
    hint: `indent it by ${spaces(wanted)}`,
    place: line,
  };
}

interface SyntaxText {
  readonly text: string;
  readonly document: Document;
}

/** The beginning of the line that the parser means, where it is its indentation that is wrong. */
function misplacedLine({message, pos: [offset]}: YAMLError, {text, document}: SyntaxText): number | undefined {
  if (message.startsWith('All mapping items must start')) return text.lastIndexOf('\n', offset - 1) + 1;
  // A line that is indented further goes on with the value above it, and then its colon is that value's second one.
  const isNested = document.errors.some(({message: said, pos}) => said.startsWith(nested) && pos[0] === offset);
  const end = text.indexOf('\n', offset);
  return isNested && end !== -1 && !/:(?:\s|$)/.test(text.slice(offset, end)) ? end + 1 : undefined;
}

const nested = 'Nested mappings are not allowed';

function spaces(count: number): string {
  return count === 1 ? '1 space' : `${count} spaces`;
}

const tab = {
  message: 'a tab indents this line, and YAML allows only spaces',
  hint: 'replace the tab with spaces',
};

/** The usual mistakes, by the beginning of what the parser says. */
const mistakes: readonly (readonly [said: string, message: string, hint: string])[] = [
  ['Missing closing "quote', 'a string that begins with " has no closing "', 'add a closing " at the end'],
  ["Missing closing 'quote", "a string that begins with ' has no closing '", "add a closing ' at the end"],
  ['Flow map in block', 'a { has no closing }', 'add a } where it ends'],
  ['Flow sequence in block', 'a [ has no closing ]', 'add a ] where it ends'],
  ['All mapping items must start', 'this line is not indented like the lines around it', 'indent it like them'],
  ['All sequence items must start', 'this item is not indented like the items around it', 'indent it like them'],
  [
    nested,
    'this line has a second colon with a space after it',
    'put the value into quotes, or begin a new line after the first colon',
  ],
  ['Implicit keys need to be on a single line', 'a name has no colon after it', 'write NAME: value'],
  ['Implicit map keys need to be followed', 'a name has no colon after it', 'write NAME: value'],
];

const otherHints: Readonly<Record<string, string>> = {
  BAD_INDENT: 'indent it like the lines around it, and look for a bracket that is not closed',
  MISSING_CHAR: 'check for a missing quote, bracket or colon',
  BLOCK_AS_IMPLICIT_KEY: 'check for a missing quote, or for a second colon in the line',
  BAD_SCALAR_START: 'put the text into quotes',
  BAD_DQ_ESCAPE: 'use single quotes, or write the backslash twice',
};
const usualHint = 'look at this line and the one before it: a quote, a bracket, a colon or a space may be missing';

function inPlainWords({message, code}: YAMLError): {readonly message: string; readonly hint: string} {
  const known = mistakes.find(([said]) => message.startsWith(said));
  if (known !== undefined) return {message: `not valid YAML: ${known[1]}`, hint: known[2]};
  const lower = message.replace('Plain value', 'a string without quotes').replace(/^./, (first) => first.toLowerCase());
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
