/** ECMA-48: control sequences; strings (titles, clipboard, links) to their end; other escapes. */
export const sequences = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_\]][\s\S]*?(?:\x1b\\|\x07|$)|\x1b[ -/]*[0-~]?/g;

/**
 * The same characters, but a sign in place of each that a terminal acts on, or that turns the order of the others round: what
 * stands in files and answers of others can do nothing where it is shown. Lines and tabs stay.
 */
export function defused(text: string): string {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

/** Lines without anything that could move the cursor otherwise, or do more. */
export function printableText(text: string): string {
  return text.replace(sequences, '').replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, '');
}

/** Without anything that could move the cursor or do more; tabs stay. */
export function printable(line: string): string {
  return printableText(line).replaceAll('\n', '');
}
