import {suggest} from '../base/suggest.ts';
import type {Findings, Place} from './source.ts';

/** What the first lines of a Dockerfile say about the rest (`# escape=` and the like). */
export interface Directives {
  /** The character that joins lines and takes other characters their meaning: `\` or `` ` ``. */
  readonly escape: '\\' | '`';
  /** The language that the file is written in, as an image's name. The file is always read by us. */
  readonly syntax?: string;
  /** `# check=skip=A,B;error=true`. */
  readonly check?: string;
}

const names = ['syntax', 'escape', 'check'] as const;
type Name = (typeof names)[number];

const line = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/;

/**
 * Reads parser directives: comments `# key=value` at the very top, before any other comment, blank line or instruction.
 * The first that is none of ours ends them.
 */
export function readDirectives(lines: readonly string[], findings: Findings): Directives {
  const seen = new Map<Name, {readonly value: string; readonly place: Place}>();
  for (const [index, text] of lines.entries()) {
    const match = line.exec(text.trim());
    const key = match?.[1]?.toLowerCase() ?? '';
    const value = match?.[2] ?? '';
    const name = names.find((known) => known === key);
    const indent = text.length - text.trimStart().length;
    const place = {line: index + 1, column: indent + 1, length: text.trim().length};
    if (name === undefined) {
      warnOfNearly(key, place, findings);
      break;
    }
    if (seen.has(name)) {
      findings.error(place, 'repeated-directive', `the directive "${name}" is given twice`, 'remove one of them');
      continue;
    }
    seen.set(name, {value, place});
  }
  const token = seen.get('escape');
  if (token !== undefined && token.value !== '\\' && token.value !== '`') {
    const hint = 'write "# escape=\\" or "# escape=`"';
    findings.error(token.place, 'invalid-escape', `the escape character cannot be "${token.value}"`, hint);
  }
  const syntax = seen.get('syntax')?.value;
  warnOfLanguage(seen.get('syntax'), findings);
  const check = seen.get('check')?.value;
  return {
    escape: token?.value === '`' ? '`' : '\\',
    ...(syntax === undefined ? {} : {syntax}),
    ...(check === undefined ? {} : {check}),
  };
}

/** Images of the language itself are called like it, whoever has them: `docker/dockerfile:1`, `host/mirror/dockerfile`. */
function warnOfLanguage(syntax: {readonly value: string; readonly place: Place} | undefined, findings: Findings): void {
  if (syntax === undefined || /(?:^|\/)dockerfile(?:-upstream)?(?:[:@]|$)/.test(syntax.value)) return;
  const message = `the language of "${syntax.value}" is not known: this is read as a Dockerfile`;
  findings.warning(syntax.place, 'unknown-syntax', message, 'name docker/dockerfile:1, or build it with BuildKit');
}

/** `# escpae=` is a comment to everybody else, and the lines below do not join. */
function warnOfNearly(key: string, place: Place, findings: Findings): void {
  const meant = key.length < 4 ? undefined : suggest(key, names);
  if (meant === undefined) return;
  const hint = `did you mean "${meant}"?`;
  findings.warning(place, 'unknown-directive', `"${key}" is no directive, so this line is a comment`, hint);
}
